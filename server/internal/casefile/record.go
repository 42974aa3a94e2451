package casefile

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Record is a record as people read it.
type Record struct {
	ID   hlc.ID
	Kind record.Kind
	// Root is what it belongs to; itself when it belongs to nothing.
	Root    hlc.ID
	Team    progress.Named
	Deleted bool
	// Position is that of its newest change: who acts on the record says up to where they have seen it.
	Position uint64
	// Fields are those that are set, by number.
	Fields []Field
	// History are the newest entries, the oldest of them first; a list of records goes without.
	History []Event
}

// Field is a field with who set it.
type Field struct {
	// Name is the field's, or its number where only a newer program knows it.
	Name string
	// Value is text, a number, a truth value, a list of them, or an object. Tokens of people are never shown: of them it is
	// how many there are.
	Value any
	// Of is what Name names, and Plain the value as messages have it, for package words. Both are zero where only a newer
	// program knows the field, and for what a conflict is between; Plain is for tokens of people as well.
	Of    protoreflect.FieldDescriptor
	Plain protoreflect.Value
	// By is zero for the server itself, and so is From, the tablet on which it was set.
	By, From progress.Named
	At       time.Time
	// Position is the log's at which it came; 0 where that is not known, and in lists of records.
	Position uint64

	stamp hlc.Stamp
}

// Event is one entry of a record's history.
type Event struct {
	// What happened: made, edited, deleted, restored, given_back, held, discarded or erased.
	What string
	// Code is why it is held.
	Code record.Code
	// Position is in the change log: the batch that brought it is found by it.
	Position uint64
	// By is zero for the server itself, and so is From, the tablet that sent it.
	By, From progress.Named
	// At is when it was done, by the tablet's corrected clock, Received when the server got it. At is zero where the body is
	// erased.
	At, Received time.Time
	// Fields are the names of those that were set or emptied. What they were stays out of it.
	Fields []string

	stamp hlc.Stamp
}

// maxHistory bounds how many entries are shown: the newest.
const maxHistory = 200

// lens reads records in one snapshot.
type lens struct {
	tx       Reading
	setUp    *syncing.SetUp
	replicas map[hlc.Replica]origin
	logs     map[hlc.ID][]syncing.LogEntry
	// workers are those for whom the server made the changes of a record, by their stamps.
	workers map[hlc.ID]map[hlc.Stamp]hlc.ID
}

func newLens(tx Reading, setUp *syncing.SetUp) *lens {
	return &lens{tx: tx, setUp: setUp, replicas: map[hlc.Replica]origin{}, logs: map[hlc.ID][]syncing.LogEntry{}, workers: map[hlc.ID]map[hlc.Stamp]hlc.ID{}}
}

// origin is what stands behind a replica: a tablet, or the server.
type origin struct {
	device syncing.Device
	server bool
}

func (l *lens) record(r syncing.Record) (Record, error) {
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return Record{}, fmt.Errorf("state of record %v: %w", r.ID, err)
	}
	out := Record{ID: r.ID, Kind: r.Kind, Root: r.Root, Team: progress.Named{ID: r.Audience, Name: l.setUp.Teams[r.Audience].GetName()}, Deleted: registers.Deleted(), Position: r.Position}
	for _, register := range registers {
		if len(register.Value) == 0 || record.FieldName(r.Kind, register.Field) == "deleted" || record.Secret(r.Kind, register.Field) {
			continue // emptied, told by Deleted, or for nobody
		}
		f := Field{Name: record.FieldName(r.Kind, register.Field), At: register.Stamp.Time.Wall().UTC(), stamp: register.Stamp}
		if r.Kind == recordv1.Kind_KIND_CONFLICT && f.Name == "sides" {
			f.Value, err = l.sides(registers)
		} else {
			f.Of, f.Plain, f.Value, err = valuesOf(r.Kind, register)
		}
		if err != nil {
			return Record{}, fmt.Errorf("field %s of record %v: %w", f.Name, r.ID, err)
		}
		if f.By, f.From, err = l.setBy(r.ID, register.Stamp); err != nil {
			return Record{}, err
		}
		out.Fields = append(out.Fields, f)
	}
	return out, nil
}

// sides are the values between which people have to decide, as the record that they are of would show them.
func (l *lens) sides(registers record.Registers) ([]any, error) {
	c := &recordv1.Conflict{}
	if err := proto.Unmarshal(registers.Fields(), c); err != nil {
		return nil, err
	}
	field := protowire.Number(c.GetField()) //nolint:gosec // a number that is none is not found
	sides := make([]any, len(c.GetSides()))
	for i, side := range c.GetSides() {
		shown := map[string]any{"at": hlc.Time(side.GetTime()).Wall().UTC()}
		if author, err := uuid.FromBytes(side.GetAuthor()); err == nil {
			shown["author"] = author.String()
		}
		if len(side.GetValue()) > 0 && !record.Secret(c.GetTargetKind(), field) {
			var err error
			if _, _, shown["value"], err = valuesOf(c.GetTargetKind(), record.Register{Field: field, Value: side.GetValue()}); err != nil {
				return nil, err
			}
		}
		sides[i] = shown
	}
	return sides, nil
}

func (l *lens) named(worker hlc.ID) progress.Named {
	return progress.Named{ID: worker, Name: l.setUp.Workers[worker].GetName()}
}

func (l *lens) origin(number hlc.Replica) (origin, error) {
	if o, ok := l.replicas[number]; ok {
		return o, nil
	}
	r, err := l.tx.Replica(number)
	if err != nil {
		return origin{}, err
	}
	o := origin{server: r.Number != 0 && r.Device == (hlc.ID{})}
	if r.Device != (hlc.ID{}) {
		if o.device, _, err = l.tx.Device(r.Device); err != nil {
			return origin{}, err
		}
	}
	l.replicas[number] = o
	return o, nil
}

// of are the worker and the tablet behind a replica; both are nobody for the server.
func (l *lens) of(o origin) (by, from progress.Named) {
	return l.named(o.device.Worker), progress.Named{ID: o.device.ID, Name: o.device.Name}
}

// setBy is who set a value of a record, by its stamp, and on which tablet: what the server set, it set for a worker on the web.
func (l *lens) setBy(id hlc.ID, stamp hlc.Stamp) (by, from progress.Named, err error) {
	o, err := l.origin(stamp.Replica)
	if err != nil {
		return by, from, err
	}
	if !o.server {
		by, from = l.of(o)
		return by, from, nil
	}
	entries, err := l.log(id)
	if err != nil {
		return by, from, err
	}
	workers, ok := l.workers[id]
	if !ok {
		workers = syncing.WorkersOf(entries)
		l.workers[id] = workers
	}
	if worker, ok := workers[stamp]; ok {
		by = l.named(worker)
	}
	return by, from, nil
}

// log are the entries of a record, ascending.
func (l *lens) log(id hlc.ID) ([]syncing.LogEntry, error) {
	entries, ok := l.logs[id]
	if ok {
		return entries, nil
	}
	entries, err := l.tx.History(id)
	if err == nil {
		l.logs[id] = entries
	}
	return entries, err
}

// history fills in what happened to a record, and where each of its fields came.
func (l *lens) history(r *Record) error {
	entries, err := l.log(r.ID)
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(slices.Clone(entries), func(e syncing.LogEntry) bool {
		return e.Outcome == syncing.Known || e.Outcome == syncing.NewAudience || e.Outcome == syncing.Settled
	})
	r.History = []Event{}
	came := map[hlc.Stamp]uint64{}
	for i, e := range entries {
		event, err := l.event(e)
		if err != nil {
			return err
		}
		if e.Outcome == syncing.Applied {
			came[event.stamp] = e.Position
		}
		if i >= len(entries)-maxHistory {
			r.History = append(r.History, event)
		}
	}
	for i := range r.Fields {
		r.Fields[i].Position = came[r.Fields[i].stamp]
	}
	return nil
}

func (l *lens) event(e syncing.LogEntry) (Event, error) {
	out := Event{Position: e.Position, Received: time.UnixMilli(e.Received).UTC()}
	o, err := l.origin(e.Replica)
	if err != nil {
		return out, err
	}
	out.By, out.From = l.of(o)
	if e.Outcome != syncing.Given && e.Replica != 0 {
		if c, err := record.DecodeChange(e.Body, e.Replica); err == nil {
			out.What, out.Fields = progress.Did(c), fieldsOf(c)
			out.stamp, out.At = c.Stamp, c.Stamp.Time.Wall().UTC()
			if o.server {
				out.By = l.named(c.Worker)
			}
		}
	}
	switch {
	case e.Outcome == syncing.Given:
		out.What = "given_back"
	case e.Held():
		out.What, out.Code = "held", record.Code(e.Outcome)
	case e.Outcome == syncing.Discarded:
		out.What = "discarded"
	case e.Outcome == syncing.Erased || out.What == "":
		out.What = "erased"
	}
	return out, nil
}

func fieldsOf(c *record.Change) []string {
	var names []string
	for _, register := range c.Registers() {
		if name := record.FieldName(c.Kind, register.Field); name != "deleted" {
			names = append(names, name)
		}
	}
	return names
}

// valuesOf is the value of a register, as messages have it and as programs read it.
func valuesOf(k record.Kind, register record.Register) (f protoreflect.FieldDescriptor, plain protoreflect.Value, value any, err error) {
	if f = record.FieldOf(k, register.Field); f == nil {
		return nil, plain, base64.StdEncoding.EncodeToString(register.Value), nil // of a newer program
	}
	m := record.New(k)
	if err := proto.Unmarshal(register.Value, m); err != nil {
		return nil, plain, nil, err
	}
	plain = m.ProtoReflect().Get(f)
	value = ValueOf(f, plain)
	if people(f) {
		plain = protoreflect.Value{}
	}
	return f, plain, value, nil
}

// people reports whether a field holds tokens of people.
func people(f protoreflect.FieldDescriptor) bool {
	return strings.HasSuffix(string(f.Name()), "token") || strings.HasSuffix(string(f.Name()), "tokens")
}

// ValueOf is the value of a field as programs read it: text, a number, a truth value, a list of them, or an object. Ids are UUIDs, dates as
// in 2021-09-23, choices by name. Of tokens of people it is how many there are.
func ValueOf(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	one := func(v protoreflect.Value) any { return single(f, v) }
	if people(f) {
		if f.IsList() {
			return v.List().Len()
		}
		return 1
	}
	if !f.IsList() {
		return one(v)
	}
	list := make([]any, v.List().Len())
	for i := range list {
		list[i] = one(v.List().Get(i))
	}
	return list
}

func single(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch f.Kind() {
	case protoreflect.EnumKind:
		if value := f.Enum().Values().ByNumber(v.Enum()); value != nil {
			return choice(value)
		}
		return int32(v.Enum())
	case protoreflect.BytesKind:
		if id, err := uuid.FromBytes(v.Bytes()); err == nil {
			return id.String()
		}
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case protoreflect.Int32Kind:
		// Whole numbers with a sign are dates, but for the edition of the list of places.
		if day := record.Date(v.Int()); day.Valid() { //nolint:gosec // an int32
			return day.String()
		}
		return v.Int()
	case protoreflect.MessageKind:
		fields := map[string]any{}
		v.Message().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			fields[string(f.Name())] = ValueOf(f, v)
			return true
		})
		return fields
	default:
		return v.Interface()
	}
}

// choice is the name of a value of an enumeration without the enumeration's own.
func choice(v protoreflect.EnumValueDescriptor) string {
	unknown := string(v.Parent().(protoreflect.EnumDescriptor).Values().ByNumber(0).Name()) //nolint:forcetypeassert // the parent of a value is its enumeration
	return strings.ToLower(strings.TrimPrefix(string(v.Name()), strings.TrimSuffix(unknown, "UNKNOWN")))
}
