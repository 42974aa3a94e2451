package localdb

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Record is a record as this tablet shows it.
type Record struct {
	ID   hlc.ID
	Kind record.Kind
	View record.Registers
	// Day is occurred_on; 0 when unset.
	Day record.Date
	// Newest is the sequence number of the newest own change to it that the server has not held; 0 when there is none.
	Newest uint64
	// Earlier tells of own changes to it under earlier replica numbers, which the server has all.
	Earlier Earlier
}

// Earlier is how far the own changes under earlier replica numbers have got.
type Earlier int

// How far they have got.
const (
	NoneEarlier Earlier = iota
	EarlierSent
	EarlierDurable
)

// held is a row of the table of records.
type held struct {
	id       hlc.ID
	kind     record.Kind
	position uint64
	base     record.Registers
	view     record.Registers
	proof    []byte           // over sent, or over base where sent is nil; nil where the server proved nothing
	sent     record.Registers // what the server proved, where base is more
	dropped  bool             // to be taken out when its own changes are acknowledged
	isNew    bool             // not in the table yet
}

// proven is the newest state that the server sent with its proof; nothing where there is none.
func (r *held) proven() record.Registers {
	switch {
	case len(r.proof) == 0:
		return nil
	case r.sent != nil:
		return r.sent
	default:
		return r.base
	}
}

// setBase replaces base, and keeps what the server proved.
func (r *held) setBase(base record.Registers) {
	proven := r.proven()
	r.base, r.sent = base, nil
	if len(proven) > 0 && !same(proven, base) {
		r.sent = proven
	}
}

// prove replaces base, of which the server has proved state.
func (r *held) prove(base, state record.Registers, proof []byte) {
	r.base, r.sent, r.proof = base, nil, proof
	if !same(base, state) {
		r.sent = state
	}
}

// same reports whether two states are equal.
func same(a, b record.Registers) bool {
	return bytes.Equal(record.EncodeState(a), record.EncodeState(b))
}

// load reads a row to change it; one that is not there yet is empty.
func (tx *Tx) load(recordID hlc.ID, kind record.Kind) (*held, error) {
	r := &held{id: recordID}
	var base, view, sent []byte
	err := tx.sql.QueryRowContext(tx.ctx, `SELECT kind, position, proof, base, view, sent, dropped FROM records WHERE id = $1`, recordID[:]).
		Scan(&r.kind, &r.position, &r.proof, &base, &view, &sent, &r.dropped)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return &held{id: recordID, kind: kind, isNew: true}, nil
	case err != nil:
		return nil, fmt.Errorf("reading record %s: %w", recordID, err)
	}
	for _, state := range []struct {
		column column
		sealed []byte
		into   *record.Registers
	}{{recordBase, base, &r.base}, {recordView, view, &r.view}, {recordSent, sent, &r.sent}} {
		encoded, err := tx.seal.open(state.column, recordID[:], state.sealed)
		if err != nil {
			return nil, fmt.Errorf("reading record %s: %w", recordID, err)
		}
		if *state.into, err = record.DecodeState(encoded); err != nil {
			return nil, fmt.Errorf("reading record %s: %w: %w", recordID, ErrDamaged, err)
		}
	}
	return r, nil
}

// store writes a row. One without anything to show is taken out: its making is held, and shown among what is held.
func (tx *Tx) store(r *held) error {
	switch {
	case len(r.view) == 0 && r.isNew:
		return nil
	case len(r.view) == 0:
		if err := tx.exec(`DELETE FROM records WHERE id = $1`, r.id[:]); err != nil {
			return fmt.Errorf("storing record %s: %w", r.id, err)
		}
		return nil
	}
	base, err := tx.sealState(recordBase, r.id, r.base)
	if err != nil {
		return err
	}
	view, err := tx.sealState(recordView, r.id, r.view)
	if err != nil {
		return err
	}
	sent, err := tx.sealState(recordSent, r.id, r.sent)
	if err != nil {
		return err
	}
	person, err := tx.person(r.kind, r.view)
	if err != nil {
		return err
	}
	waits, err := tx.waits(r)
	if err != nil {
		return err
	}
	query := `
		UPDATE records SET kind = $2, owner = $3, day = $4, deleted = $5, position = $6, proof = $7, base = $8, view = $9, sent = $10, dropped = $11, waits = $12, changed = $13, person = $14
		WHERE id = $1`
	if r.isNew {
		query = `
		INSERT INTO records (id, kind, owner, day, deleted, position, proof, base, view, sent, dropped, waits, changed, person)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	}
	if err := tx.exec(query, r.id[:], r.kind, r.owner(), r.day(), r.view.Deleted(), r.position, r.proof, base, view, sent, r.dropped, waits, int64(r.view.Newest()), person); err != nil { //nolint:gosec // times have 63 bits
		return fmt.Errorf("storing record %s: %w", r.id, err)
	}
	return nil
}

// sealState is a state as a value for a column; NULL when it is nothing.
func (tx *Tx) sealState(c column, of hlc.ID, state record.Registers) ([]byte, error) {
	if len(state) == 0 {
		return nil, nil
	}
	return tx.seal.seal(c, of[:], record.EncodeState(state))
}

// owner is the id in the owner field, as a value for the column.
func (r *held) owner() any {
	if owner := r.view.Owner(r.kind); owner != (hlc.ID{}) {
		return owner[:]
	}
	return nil
}

// occurredOn is the number of the common field occurred_on.
const occurredOn protowire.Number = 4

func (r *held) day() int64 {
	value := r.view.Get(occurredOn).Value
	_, typ, tag := protowire.ConsumeTag(value)
	if tag < 0 || typ != protowire.VarintType {
		return 0
	}
	v, size := protowire.ConsumeVarint(value[tag:])
	if size < 0 || v > 9999_12_31 {
		return 0
	}
	return int64(v)
}

// Left alone, SQLite would look for the newest change by sequence number, through all own changes for each record.
const selectRecords = `
	SELECT r.id, r.kind, r.view, r.day,
	       coalesce((SELECT max(c.sequence) FROM changes c INDEXED BY changes_by_record WHERE c.record = r.id AND c.held = '' AND c.replica = t.replica), 0),
	       coalesce((SELECT 1 + min(c.durable) FROM changes c INDEXED BY changes_by_record WHERE c.record = r.id AND c.held = '' AND c.replica <> t.replica), 0)
	FROM tablet t CROSS JOIN `

func (tx *Tx) scanRecord(r row) (Record, error) {
	var out Record
	var sealed []byte
	if err := r.Scan(id{&out.ID}, &out.Kind, &sealed, &out.Day, &out.Newest, &out.Earlier); err != nil {
		return Record{}, err
	}
	var err error
	if out.View, err = tx.openView(out.ID, sealed); err != nil {
		return Record{}, err
	}
	return out, nil
}

// openView opens and reads the view of a record.
func (tx *Tx) openView(of hlc.ID, sealed []byte) (record.Registers, error) {
	encoded, err := tx.seal.open(recordView, of[:], sealed)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", of, err)
	}
	view, err := record.DecodeState(encoded)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w: %w", of, ErrDamaged, err)
	}
	return view, nil
}

func (tx *Tx) records(query string, args ...any) ([]Record, error) {
	var found []Record
	err := tx.each(func(row row) error {
		r, err := tx.scanRecord(row)
		found = append(found, r)
		return err
	}, selectRecords+query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading records: %w", err)
	}
	return found, nil
}

// Record is one record, deleted or not; ok is false when it is not there.
func (tx *Tx) Record(recordID hlc.ID) (r Record, ok bool, err error) {
	found, err := tx.records(`records r WHERE r.id = $1`, recordID[:])
	if err != nil || len(found) == 0 {
		return Record{}, false, err
	}
	return found[0], true, nil
}

// OfKind are all records of a kind that are not deleted, in the order in which they were made.
func (tx *Tx) OfKind(k record.Kind) ([]Record, error) {
	return tx.records(`records r WHERE r.kind = $1 AND r.deleted = 0 ORDER BY r.id`, k)
}

// SetUp are the records of the deployment, its sites and its teams that are not deleted, and the one of a worker. Newest
// and Earlier are not told.
func (tx *Tx) SetUp(worker hlc.ID) ([]Record, error) {
	return tx.views(`WHERE (kind IN ($1, $2, $3) AND deleted = 0) OR id = $4`,
		recordv1.Kind_KIND_DEPLOYMENT, recordv1.Kind_KIND_SITE, recordv1.Kind_KIND_TEAM, worker[:])
}

// Newest are the records of a kind on the newest day that one has, in the order in which they were made. Deleted ones are left out. Newest
// and Earlier are not told.
func (tx *Tx) Newest(k record.Kind) ([]Record, error) {
	return tx.views(`WHERE kind = $1 AND deleted = 0 AND day = (SELECT max(day) FROM records WHERE kind = $1 AND deleted = 0) ORDER BY id`, k)
}

// ViewsOwnedBy are the records of some kinds that name one of owners in their owner field and are not deleted, by owner; those of
// each by kind, day and making. Newest and Earlier are not told.
func (tx *Tx) ViewsOwnedBy(owners []hlc.ID, kinds ...record.Kind) (map[hlc.ID][]Record, error) {
	return ownedByEach(owners, func(in string, args []any) ([]Record, error) {
		of, args := listed(kinds, args...)
		return tx.views(`INDEXED BY records_by_owner WHERE owner IN (`+in+`) AND deleted = 0 AND kind IN (`+of+`) ORDER BY kind, day, id`, args...)
	})
}

// OwnedByEach are the records that name one of owners in their owner field, deleted or not, by owner; those of each by kind, day and
// making.
func (tx *Tx) OwnedByEach(owners []hlc.ID) (map[hlc.ID][]Record, error) {
	return ownedByEach(owners, func(in string, args []any) ([]Record, error) {
		return tx.records(`records r INDEXED BY records_by_owner WHERE r.owner IN (`+in+`) ORDER BY r.kind, r.day, r.id`, args...)
	})
}

// ownersAtOnce is how many owners a query asks for: each query costs as much as some rows.
const ownersAtOnce = 500

// ownedByEach asks for what belongs to owners, so many at once, and sorts the answers by them.
func ownedByEach(owners []hlc.ID, ask func(in string, args []any) ([]Record, error)) (map[hlc.ID][]Record, error) {
	of := make(map[hlc.ID][]Record, len(owners))
	for some := range slices.Chunk(owners, ownersAtOnce) {
		args := make([]any, len(some))
		for i := range some {
			args[i] = some[i][:]
		}
		found, err := ask(places(1, len(some)), args)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			owner := r.View.Owner(r.Kind)
			of[owner] = append(of[owner], r)
		}
	}
	return of, nil
}

// views are records without what the own changes to them are, which saves looking for those.
func (tx *Tx) views(query string, args ...any) ([]Record, error) {
	var found []Record
	err := tx.each(func(row row) error {
		r, err := tx.scanRecord(row)
		found = append(found, r)
		return err
	}, `SELECT id, kind, view, day, 0, 0 FROM records `+query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading records: %w", err)
	}
	return found, nil
}

// listed are kinds as arguments of a query behind others, and their places in it.
func listed(kinds []record.Kind, args ...any) (string, []any) {
	first := len(args) + 1
	for _, k := range kinds {
		args = append(args, k)
	}
	return places(first, len(kinds)), args
}

// places are the places of so many arguments in a query, from the first on.
func places(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(list, ", ")
}

// OwnedBy are the records that name owner in their owner field, deleted or not, by kind, day and making.
func (tx *Tx) OwnedBy(owner hlc.ID) ([]Record, error) {
	return tx.records(`records r WHERE r.owner = $1 ORDER BY r.kind, r.day, r.id`, owner[:])
}

// Numbers of the fields of a worker that decide which records it receives.
const (
	team       protowire.Number = 2
	role       protowire.Number = 18
	supervises protowire.Number = 23
	external   protowire.Number = 24
)

// Posting is what decides which records reach a worker: the fields team, role, supervises and external, as encoded.
type Posting struct{ Team, Role, Supervises, External string }

// PostingOf is that of a worker; zero when the worker is not known.
func (tx *Tx) PostingOf(worker hlc.ID) (Posting, error) {
	r, _, err := tx.Record(worker)
	field := func(n protowire.Number) string { return string(r.View.Get(n).Value) }
	return Posting{Team: field(team), Role: field(role), Supervises: field(supervises), External: field(external)}, err
}

// HeldCodes are why own changes to records are held, oldest first. What somebody decided not to apply is left out.
func (tx *Tx) HeldCodes() (map[hlc.ID][]string, error) {
	codes := map[hlc.ID][]string{}
	err := tx.each(func(r row) error {
		var recordID hlc.ID
		var code string
		err := r.Scan(id{&recordID}, &code)
		codes[recordID] = append(codes[recordID], code)
		return err
	}, `SELECT record, held FROM changes WHERE held <> '' AND held <> $1 ORDER BY rowid`, record.CodeDiscarded)
	if err != nil {
		return nil, fmt.Errorf("reading held changes: %w", err)
	}
	return codes, nil
}

// All are all records, deleted or not, by id.
func (tx *Tx) All() ([]Record, error) { return tx.records(`records r ORDER BY r.id`) }

// Filter says which records List gives.
type Filter struct {
	// Kinds are the kinds that are wanted; none means all but those in Not.
	Kinds, Not []record.Kind
	// From and To are the first and last day of occurred_on; 0 means no bound.
	From, To record.Date
	// Deleted includes deleted records.
	Deleted bool
	// BeforeDay and BeforeID are those of the last record of the page before; ignored while BeforeDay is negative.
	BeforeDay record.Date
	BeforeID  hlc.ID
	// Limit is the most records; a negative one means all.
	Limit int
}

// List gives records, the newest day first and of one day the last made first.
func (tx *Tx) List(f Filter) ([]Record, error) {
	var where strings.Builder
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	// The page is cut by the index. Left alone, SQLite would sort all rows before it cuts, and look at each before its kind.
	where.WriteString("(SELECT k.id FROM records k INDEXED BY records_by_day WHERE 1")
	among := func(operator string, kinds []record.Kind) {
		if len(kinds) == 0 {
			return
		}
		placeholders := make([]string, len(kinds))
		for i, k := range kinds {
			placeholders[i] = arg(k)
		}
		where.WriteString(" AND k.kind " + operator + " (" + strings.Join(placeholders, ", ") + ")")
	}
	among("IN", f.Kinds)
	among("NOT IN", f.Not)
	if f.From != 0 {
		where.WriteString(" AND k.day >= " + arg(f.From))
	}
	if f.To != 0 {
		where.WriteString(" AND k.day <= " + arg(f.To))
	}
	if !f.Deleted {
		where.WriteString(" AND k.deleted = 0")
	}
	if f.BeforeDay >= 0 {
		where.WriteString(" AND (k.day, k.id) < (" + arg(f.BeforeDay) + ", " + arg(f.BeforeID[:]) + ")")
	}
	where.WriteString(" ORDER BY k.day DESC, k.id DESC LIMIT " + arg(f.Limit) + ") page CROSS JOIN records r WHERE r.id = page.id ORDER BY r.day DESC, r.id DESC")
	return tx.records(where.String(), args...)
}

// readable reports whether a record is one of its kind with what was sent. One that is not would stand in the way of
// whatever reads all records.
func readable(kind record.Kind, r *held, sent record.Registers) bool {
	m := record.New(kind)
	return r.kind == kind && (m == nil || proto.Unmarshal(sent.Fields(), m) == nil)
}
