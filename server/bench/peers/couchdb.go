package main

import (
	"context"
	"crypto/md5" //nolint:gosec // names revisions, as CouchDB does
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
)

// couchDB is the CouchDB protocol, served by express-pouchdb: a database for each team, because it has no rules for single
// documents. Devices speak as replication does, without PouchDB between, which costs them less; nobody has to sign in.
type couchDB struct{}

const changesPerPage = 1000

func (couchDB) name() string { return "CouchDB protocol (express-pouchdb on LevelDB), gzip down" }

func (couchDB) again() bool { return true }

func (couchDB) server(ctx context.Context, dir string) (*exec.Cmd, error) {
	return exec.CommandContext(ctx, "node", "couchdb.js", dir), nil //nolint:gosec // a folder of our own
}

func (couchDB) setUp(ctx context.Context, c *client, day []*device) error {
	for i := 0; i < len(day); i += devicesPerTeam {
		var done json.RawMessage
		if err := c.call(ctx, http.MethodPut, databaseOf(day[i]), "", nil, &done); err != nil {
			return err
		}
	}
	return nil
}

// databaseOf is where a device's team has its records. A name must begin with a letter.
func databaseOf(d *device) string { return "/team-" + d.team }

func (couchDB) signIn(_ context.Context, c *client, d *device) (session, error) {
	return &couchSession{client: c, database: databaseOf(d), worker: d.worker, since: json.RawMessage("0")}, nil
}

type couchSession struct {
	client           *client
	database, worker string
	since            json.RawMessage
}

// document is a record as CouchDB has it.
type document struct {
	ID        string     `json:"_id"`
	Rev       string     `json:"_rev"`
	Revisions *revisions `json:"_revisions,omitempty"`
	fields
}

type revisions struct {
	Start int      `json:"start"`
	IDs   []string `json:"ids"`
}

// push asks which revisions the server has not got, and sends those: sent again, it asks and sends nothing.
func (s *couchSession) push(ctx context.Context, records []record) error {
	revs := make(map[string][]string, len(records))
	docs := make(map[string]document, len(records))
	for _, r := range records {
		text, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encoding a record: %w", err)
		}
		sum := md5.Sum(text) //nolint:gosec // names revisions, as CouchDB does
		hash := hex.EncodeToString(sum[:])
		docs[r.ID] = document{r.ID, "1-" + hash, &revisions{1, []string{hash}}, r.fields}
		revs[r.ID] = []string{"1-" + hash}
	}
	var diff map[string]struct {
		Missing []string `json:"missing"`
	}
	if err := s.client.call(ctx, http.MethodPost, s.database+"/_revs_diff", "", revs, &diff); err != nil {
		return err
	}
	if len(diff) == 0 {
		return nil
	}
	missing := struct {
		NewEdits bool       `json:"new_edits"`
		Docs     []document `json:"docs"`
	}{}
	for id := range diff {
		missing.Docs = append(missing.Docs, docs[id])
	}
	var refused []json.RawMessage
	if err := s.client.call(ctx, http.MethodPost, s.database+"/_bulk_docs", "", missing, &refused); err != nil {
		return err
	}
	if len(refused) > 0 {
		return fmt.Errorf("the server refuses %d documents: %s", len(refused), refused[0])
	}
	return nil
}

// pull gets the device's own records too: the protocol can leave them out only by a function that the server runs for each.
func (s *couchSession) pull(ctx context.Context, got func(record) error) error {
	for {
		var page struct {
			Results []struct {
				Doc document `json:"doc"`
			} `json:"results"`
			LastSeq json.RawMessage `json:"last_seq"`
		}
		query := url.Values{"include_docs": {"true"}, "limit": {fmt.Sprint(changesPerPage)}, "since": {string(s.since)}}
		if err := s.client.call(ctx, http.MethodGet, s.database+"/_changes?"+query.Encode(), "", nil, &page); err != nil {
			return err
		}
		for _, r := range page.Results {
			if r.Doc.Worker == s.worker {
				continue
			}
			if err := got(record{r.Doc.ID, r.Doc.fields}); err != nil {
				return err
			}
		}
		s.since = page.LastSeq
		if len(page.Results) < changesPerPage {
			return nil
		}
	}
}

func (s *couchSession) count(ctx context.Context) (int, error) {
	var info struct {
		DocCount int `json:"doc_count"`
	}
	err := s.client.call(ctx, http.MethodGet, s.database, "", nil, &info)
	return info.DocCount, err
}
