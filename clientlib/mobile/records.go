package mobile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/clientlib/recordjson"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// MakeForm is an id for what somebody is about to fill in; see Log.
func (t *Tablet) MakeForm() (string, error) {
	id, err := t.store.NewFormID()
	if err != nil {
		return "", t.fail(err)
	}
	return id.String(), nil
}

// SaveForm keeps what somebody has filled in so far, sealed on this tablet and never sent: values are as the app likes, at most 256 KB. record is the
// id of the record that is edited, or "" for a new one. It is on the disk when the call returns.
//
// Codes of errors: form_done (it was logged meanwhile), form_too_large, unknown_kind, invalid_id.
func (t *Tablet) SaveForm(form, kind, record, values string) error {
	k, err := kindOf(kind)
	if err != nil {
		return t.fail(err)
	}
	f := clientlib.Form{Kind: k, Values: []byte(values)}
	if f.ID, err = idOf(form); err == nil && record != "" {
		f.Record, err = idOf(record)
	}
	if err != nil {
		return t.fail(err)
	}
	return t.fail(t.store.SaveForm(context.Background(), f))
}

// Forms are the unfinished forms, the last saved first:
//
//	{"forms": [{"id": "0192…", "kind": "case_session", "record": "", "values": "…", "saved": "2021-10-13T08:30:00+08:00"}]}
func (t *Tablet) Forms() (string, error) {
	ctx := context.Background()
	terms, err := t.terms(ctx)
	if err != nil {
		return "", t.fail(err)
	}
	found, err := t.store.Forms(ctx)
	if err != nil {
		return "", t.fail(err)
	}
	type formJSON struct {
		ID     string    `json:"id"`
		Kind   string    `json:"kind"`
		Record string    `json:"record"`
		Values string    `json:"values"`
		Saved  time.Time `json:"saved"`
	}
	forms := []formJSON{}
	for _, f := range found {
		one := formJSON{ID: f.ID.String(), Kind: words.KindName(f.Kind), Values: string(f.Values), Saved: f.Saved.In(terms.Zone())}
		if f.Record != (hlc.ID{}) {
			one.Record = f.Record.String()
		}
		forms = append(forms, one)
	}
	return t.written(map[string]any{"forms": forms}, nil)
}

// DropForm forgets an unfinished form. Dropping one that is not there does nothing. Code of errors: invalid_id.
func (t *Tablet) DropForm(form string) error {
	id, err := idOf(form)
	if err != nil {
		return t.fail(err)
	}
	return t.fail(t.store.DropForm(context.Background(), id))
}

// Log logs a record of a kind, such as "case_session", given its fields, and returns it as it is now on the disk. What is left out is filled in where
// the tablet knows it, such as author, day, site and team. A record that lacks a required field is kept as a draft; see Preview.
//
// form is an id that MakeForm made, and the form is done then: called again with it, as after a double tap, Log logs nothing and returns the record that
// the first call made. "" logs without a form.
//
// Codes of errors: unknown_kind, those of package recordjson (malformed, unknown_field, wrong_type, unknown_choice, …), those of a field that is not
// valid (text_too_long, date_in_future, …), owner_missing, owner_deleted, deployment_archived (nothing is logged any more, as with Update, Delete and
// Restore). Nothing of the record was kept then. What is logged while the state of Status is "closed" waits for the coordinator: say so before.
func (t *Tablet) Log(form, kind, fields string) (string, error) {
	ctx := context.Background()
	m, _, err := t.decode(ctx, kind, fields)
	if err != nil {
		return "", t.fail(err)
	}
	var id hlc.ID
	if form == "" {
		id, err = t.store.NewFormID()
	} else {
		id, err = idOf(form)
	}
	if err != nil {
		return "", t.fail(err)
	}
	made, err := t.store.LogForm(ctx, id, clientlib.Family{Record: m})
	if err != nil {
		return "", t.fail(err)
	}
	return t.record(ctx, made[0])
}

// Preview is what Log would keep, without keeping it: the fields with what would be filled in, and the required ones that would be lacking.
//
//	{"fields": {…}, "missing": ["case"]}
//
// Its errors are those of Log.
func (t *Tablet) Preview(kind, fields string) (string, error) {
	ctx := context.Background()
	terms, err := t.terms(ctx)
	if err != nil {
		return "", t.fail(err)
	}
	m, _, err := t.decode(ctx, kind, fields)
	if err != nil {
		return "", t.fail(err)
	}
	filled, missing, err := t.store.Draft(ctx, m)
	if err != nil {
		return "", t.fail(err)
	}
	return t.written(map[string]any{"fields": recordjson.Fields(terms, filled.ProtoReflect()), "missing": append([]string{}, missing...)}, nil)
}

// Edit sets the fields that are given of a record, empties those that are null, and returns the record. Fields that have the value already are left
// alone, so an app may send back all that it shows without overwriting what others set meanwhile. A list is set as a whole.
//
// Codes of errors: invalid_id, record_missing, record_deleted (restore it first), kind_mismatch (tablets do not change this kind), and those of Log.
func (t *Tablet) Edit(id, fields string) (string, error) {
	return t.change(id, func(ctx context.Context, record hlc.ID) error {
		standing, err := t.store.Record(ctx, record)
		if err != nil {
			return err
		}
		partial, emptied, err := t.decode(ctx, words.KindName(standing.Kind), fields)
		if err != nil {
			return err
		}
		return t.store.Update(ctx, record, partial, emptied...)
	})
}

// Delete deletes a record, and returns it. It can be restored. Codes of errors: invalid_id, record_missing, kind_mismatch.
func (t *Tablet) Delete(id string) (string, error) { return t.change(id, t.store.Delete) }

// Restore undoes a delete, and returns the record. Codes of errors: invalid_id, record_missing, kind_mismatch.
func (t *Tablet) Restore(id string) (string, error) { return t.change(id, t.store.Restore) }

// Record is one record, deleted or not. Codes of errors: invalid_id, record_missing.
func (t *Tablet) Record(id string) (string, error) {
	return t.change(id, func(context.Context, hlc.ID) error { return nil })
}

// List is a page of records, the newest day first:
//
//	{"records": [{…}], "next": ""}
//
// query says which. All of it may be left out, and so may the whole (""):
//
//	{"kinds": ["case_session"], "from": "2021-10-01", "to": "2021-10-31", "deleted": false, "limit": 50, "after": ""}
//
// No kinds means all that tablets make. limit is at most 500. after is the next of the page before. Codes of errors: malformed (the query),
// unknown_kind, invalid_date, invalid_argument (after).
func (t *Tablet) List(query string) (string, error) {
	ctx := context.Background()
	terms, err := t.terms(ctx)
	if err != nil {
		return "", t.fail(err)
	}
	q, err := queryOf(query)
	if err != nil {
		return "", t.fail(err)
	}
	page, err := t.store.List(ctx, q)
	if err != nil {
		return "", t.fail(err)
	}
	return t.written(recordjson.PageOf(terms, page), nil)
}

// Cases are the cases that this worker leads or works on, in the order in which they were made, in the form of List.
func (t *Tablet) Cases() (string, error) {
	ctx := context.Background()
	terms, err := t.terms(ctx)
	if err != nil {
		return "", t.fail(err)
	}
	found, err := t.store.MyCases(ctx)
	if err != nil {
		return "", t.fail(err)
	}
	var page clientlib.Page
	for _, c := range found {
		page.Records = append(page.Records, recordjson.Any(c))
	}
	return t.written(recordjson.PageOf(terms, page), nil)
}

// CaseFile is a case with all that belongs to it under "belongings": who the clients are, consents, sessions and referrals with their notes,
// resource links and risk alerts. Show who the clients are only to who has just entered the PIN. Codes of errors: invalid_id, record_missing.
func (t *Tablet) CaseFile(id string) (string, error) {
	ctx := context.Background()
	terms, err := t.terms(ctx)
	if err != nil {
		return "", t.fail(err)
	}
	record, err := idOf(id)
	if err != nil {
		return "", t.fail(err)
	}
	file, err := t.store.Case(ctx, record)
	if err != nil {
		return "", t.fail(err)
	}
	return t.written(recordjson.CaseOf(terms, file), nil)
}

// Describe says what a form for a kind has to ask for, in the words of the deployment:
//
//	{"kind": "case_session", "label": "case session", "fields": [
//	 {"name": "mode", "label": "mode", "form": "choice", "list": false, "required": true, "options": [{"name": "phone", "label": "phone"}]}]}
//
// form is one of text, number, date, instant, yes_or_no, choice, age_band, reference, code, compound. options are there for choices and age bands,
// unknown first; parts, fields themselves, for compounds. required fields may be left out where Log fills them in; see Preview. Code of errors:
// unknown_kind.
func (t *Tablet) Describe(kind string) (string, error) {
	k, err := kindOf(kind)
	if err != nil {
		return "", t.fail(err)
	}
	terms, err := t.terms(context.Background())
	if err != nil {
		return "", t.fail(err)
	}
	return t.written(recordjson.KindOf(terms, k), nil)
}

// change does something to a record and returns it.
func (t *Tablet) change(id string, do func(context.Context, hlc.ID) error) (string, error) {
	ctx := context.Background()
	record, err := idOf(id)
	if err != nil {
		return "", t.fail(err)
	}
	if err := do(ctx, record); err != nil {
		return "", t.fail(err)
	}
	return t.record(ctx, record)
}

func (t *Tablet) record(ctx context.Context, id hlc.ID) (string, error) {
	terms, err := t.terms(ctx)
	if err != nil {
		return "", t.fail(err)
	}
	r, err := t.store.Record(ctx, id)
	if err != nil {
		return "", t.fail(err)
	}
	return t.written(recordjson.Of(terms, r), nil)
}

// decode reads the fields of a record.
func (t *Tablet) decode(ctx context.Context, kind, fields string) (record.Common, []string, error) {
	k, err := kindOf(kind)
	if err != nil {
		return nil, nil, err
	}
	terms, err := t.terms(ctx)
	if err != nil {
		return nil, nil, err
	}
	return recordjson.Decode(terms, k, []byte(fields))
}

// written is a value as JSON; what went wrong in making it goes before.
func (t *Tablet) written(value any, err error) (string, error) {
	if err != nil {
		return "", t.fail(err)
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", t.fail(err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func kindOf(name string) (record.Kind, error) {
	k, ok := words.KindNamed(name)
	if !ok {
		return k, &recordjson.Error{Code: string(record.CodeUnknownKind)}
	}
	return k, nil
}

func idOf(text string) (hlc.ID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return hlc.ID{}, &recordjson.Error{Code: string(record.CodeInvalidID)}
	}
	return id, nil
}

// queryOf reads the query of a list.
func queryOf(text string) (clientlib.Query, error) {
	var in struct {
		Kinds   []string `json:"kinds"`
		From    string   `json:"from"`
		To      string   `json:"to"`
		Deleted bool     `json:"deleted"`
		Limit   int      `json:"limit"`
		After   string   `json:"after"`
	}
	if text != "" {
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.DisallowUnknownFields()
		err := d.Decode(&in)
		if _, more := d.Token(); err != nil || !errors.Is(more, io.EOF) {
			return clientlib.Query{}, &recordjson.Error{Code: string(record.CodeMalformed)}
		}
	}
	q := clientlib.Query{Deleted: in.Deleted, Limit: in.Limit, After: in.After}
	for _, name := range in.Kinds {
		k, err := kindOf(name)
		if err != nil {
			return q, err
		}
		q.Kinds = append(q.Kinds, k)
	}
	var err error
	if q.From, err = dayOf(in.From, "from"); err == nil {
		q.To, err = dayOf(in.To, "to")
	}
	return q, err
}

// dayOf reads a day; "" is none.
func dayOf(text, field string) (record.Date, error) {
	if text == "" {
		return 0, nil
	}
	d, err := record.ParseDate(text)
	if err != nil {
		return 0, &recordjson.Error{Code: string(record.CodeInvalidDate), Field: field}
	}
	return d, nil
}

// fieldOf is a field of a kind by its name.
func fieldOf(k record.Kind, name string) protoreflect.FieldDescriptor {
	fields := words.Fields(record.New(k).ProtoReflect().Descriptor())
	return fields[slices.IndexFunc(fields, func(f protoreflect.FieldDescriptor) bool { return string(f.Name()) == name })]
}
