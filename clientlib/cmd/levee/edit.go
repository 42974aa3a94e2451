package main

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// updateCmd changes fields of a record.
type updateCmd struct {
	ID     string   `arg:"" help:"${id_argument}"`
	Fields []string `arg:"" optional:"" name:"field=value" help:"${fields_argument}"`
	Clear  []string `placeholder:"${word_field}" help:"${clear_flag}"`
}

// deleteCmd deletes a record.
type deleteCmd struct {
	ID string `arg:"" help:"${id_argument}"`
}

// restoreCmd restores a record.
type restoreCmd struct {
	ID string `arg:"" help:"${id_argument}"`
}

// Run sets and clears what was named. A field that is named several times, such as cell, gets all its values.
func (c *updateCmd) Run(s *session) error {
	r, err := s.record(c.ID)
	if err != nil {
		return err
	}
	if !slices.Contains(tabletKinds, r.Kind) {
		return s.fail(clientlib.CodeKindMismatch, notOnTablets, s.kindLabel(r.Kind))
	}
	if len(c.Fields)+len(c.Clear) == 0 {
		return &failure{code: "usage", exit: 2, text: s.Say(nothingToChange)}
	}
	partial := record.New(r.Kind)
	fields := words.Settable(r.Kind)
	written := map[protoreflect.FieldDescriptor][]string{}
	for _, assignment := range c.Fields {
		name, value, ok := strings.Cut(strings.Replace(assignment, "＝", "=", 1), "=")
		f := fieldNamed(fields, name)
		if !ok || f == nil {
			return s.noSuchField(r.Kind, name)
		}
		written[f] = append(written[f], value)
	}
	for _, f := range fields {
		if len(written[f]) == 0 {
			continue
		}
		if err := s.set(r.Kind, partial.ProtoReflect(), f, written[f]); err != nil {
			return err
		}
	}
	var cleared []string
	for _, name := range c.Clear {
		f := fieldNamed(fields, name)
		if f == nil {
			return s.noSuchField(r.Kind, name)
		}
		cleared = append(cleared, string(f.Name()))
	}
	if err := s.store.Update(s.ctx, r.ID, partial, cleared...); err != nil {
		return err
	}
	return s.saved(r.ID, recordSaved)
}

// Run deletes the record.
func (c *deleteCmd) Run(s *session) error {
	return s.editing(c.ID, s.store.Delete, recordDeleted)
}

// Run restores the record.
func (c *restoreCmd) Run(s *session) error {
	return s.editing(c.ID, s.store.Restore, recordRestored)
}

func (s *session) editing(text string, edit func(context.Context, hlc.ID) error, done words.Message) error {
	r, err := s.record(text)
	if err != nil {
		return err
	}
	if err := edit(s.ctx, r.ID); err != nil {
		return err
	}
	return s.saved(r.ID, done)
}

// record is the record that a text means.
func (s *session) record(text string) (clientlib.AnyRecord, error) {
	id, err := s.find(text)
	if err != nil {
		return clientlib.AnyRecord{}, err
	}
	return s.store.Record(s.ctx, id)
}

func (s *session) noSuchField(k record.Kind, name string) error {
	var names []string
	for _, f := range words.Settable(k) {
		names = append(names, nameOf(f))
	}
	return &failure{code: "usage", exit: 2, text: s.Say(noSuchField, s.kindLabel(k), name, strings.Join(names, ", "))}
}
