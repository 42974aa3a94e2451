package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// totals are what the JSON API says of one cut.
type totals struct {
	ServiceDays int64 `json:"service_days"`
	Rows        []struct {
		Label    struct{ Zh, En string } `json:"label"`
		Code     string                  `json:"code"`
		Reported map[string]int64        `json:"reported"`
	} `json:"rows"`
	Completeness struct {
		Devices     int   `json:"devices"`
		Outstanding int64 `json:"outstanding"`
		Held        int64 `json:"held"`
		Conflicts   int64 `json:"conflicts"`
	} `json:"completeness"`
}

// totals asks the server as any other program would.
func (d *Demo) totals(ctx context.Context, by string) (t totals, err error) {
	return t, d.call(ctx, d.token, http.MethodGet, "/api/totals?by="+url.QueryEscape(by), nil, &t)
}

// call sends one request to the JSON API, with a body where say is not nil, and reads the answer into what hear points to, where that
// is not nil.
func (d *Demo) call(ctx context.Context, token, method, path string, say, hear any) (err error) {
	var body io.Reader
	if say != nil {
		encoded, err := json.Marshal(say)
		if err != nil {
			return err
		}
		body = bytes.NewReader(encoded)
	}
	at, _ := d.URL()
	request, err := http.NewRequestWithContext(ctx, method, at+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: d.transport}).Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000)) // what can be had for the message
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	if hear == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(hear)
}

// result gathers the totals from the API, and what the syncs cost from the tablets.
func (d *Demo) result(ctx context.Context) (*Result, error) {
	r := &Result{Network: d.options.Network, Seed: d.options.Seed, Reference: published,
		Division: fmt.Sprintf("made up from seed %d: only the totals were published", d.options.Seed)}
	whole, err := d.totals(ctx, "whole")
	if err != nil {
		return nil, err
	}
	if len(whole.Rows) != 1 {
		return nil, fmt.Errorf("the whole has %d rows", len(whole.Rows))
	}
	of := divided(whole.Rows[0].Reported)
	r.Published = Published{ServiceDays: whole.ServiceDays, Cases: of.Cases, GroupSessions: of.GroupSessions, CommunityActivities: of.CommunityActivities, Beneficiaries: of.Beneficiaries}
	r.Contacts = whole.Rows[0].Reported["contacts"]
	c := whole.Completeness
	r.Devices, r.Outstanding, r.Held, r.Conflicts = c.Devices, c.Outstanding, c.Held, c.Conflicts
	sites, err := d.totals(ctx, "site")
	if err != nil {
		return nil, err
	}
	for _, row := range sites.Rows {
		if row.Code != "" { // without a code it is what names no site
			r.BySite = append(r.BySite, SiteTotals{Code: row.Code, Name: row.Label.Zh, Divided: divided(row.Reported)})
		}
	}
	r.Sites = len(r.BySite)
	areas, err := d.totals(ctx, "service_area")
	if err != nil {
		return nil, err
	}
	for _, row := range areas.Rows {
		area := row.Label.En
		if strings.HasPrefix(d.options.Language, "zh") {
			area = row.Label.Zh
		}
		r.ByServiceArea = append(r.ByServiceArea, AreaTotals{Area: area, Divided: divided(row.Reported)})
	}
	return r, d.costs(ctx, r)
}

func divided(of map[string]int64) Divided {
	return Divided{Cases: of["cases"], GroupSessions: of["group_sessions"], CommunityActivities: of["community_activities"], Beneficiaries: of["beneficiaries"]}
}

// costs sums up what the tablets' syncs took.
func (d *Demo) costs(ctx context.Context, r *Result) error {
	for _, team := range d.teams {
		for _, t := range team {
			st, err := t.store.Status(ctx)
			if err != nil {
				return err
			}
			r.Changes += int64(st.Sent + st.Durable)
			r.Requests += t.requests
			r.BytesUp += t.bytesUp
			r.BytesDown += t.bytesDown
			r.Faults += t.net.faults
		}
	}
	return nil
}
