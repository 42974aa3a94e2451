// Package servertest gives tests a deployment on a real store, in SQLite or where LEVEE_TEST_DB is "postgres" there, and devices that write signed batches by hand, so
// that a test can send what no tablet would.
package servertest

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/journal"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Deployment is a deployment with two sites, two teams, and some workers of each role.
type Deployment struct {
	T       testing.TB
	ID      hlc.ID
	DB      *store.DB
	Service *syncing.Service
	Keys    *syncing.Keys
	WallClock

	Sites, Teams []hlc.ID
	// Workers by name: anna, ben (team 0), carl (team 1) field workers, lead (team 0), super (team 0), coordinator.
	Workers map[string]hlc.ID
	// Between gives what stands between the service and its store from the next start on; nil for nothing.
	Between func(syncing.Store) syncing.Store

	rand  *rand.ChaCha8
	clock *hlc.Clock
	// at is the database's address, kept the path of the journal's file.
	at, kept string
	// servers counts those beside this one.
	servers  int
	journal  *journal.File
	observer atomic.Pointer[func(syncing.Commit)]
}

// Observe has a function told of each commit from now on.
func (d *Deployment) Observe(fn func(syncing.Commit)) { d.observer.Store(&fn) }

func (d *Deployment) observe(c syncing.Commit) {
	if fn := d.observer.Load(); fn != nil {
		(*fn)(c)
	}
}

// New makes a deployment in a temporary folder. Its clock stands at noon of 2021-10-01, local time, until moved.
func New(t testing.TB) *Deployment {
	t.Helper()
	d := &Deployment{T: t, Workers: map[string]hlc.ID{}, rand: rand.NewChaCha8([32]byte{7})}
	d.takePlace(t, "")
	d.SetWall(time.Date(2021, 10, 1, 4, 0, 0, 0, time.UTC))
	d.clock = hlc.NewClock(d.Wall, 0)
	proofKey := make([]byte, 32)
	_, _ = d.rand.Read(proofKey)
	d.Keys = &syncing.Keys{Signing: d.newKey(), ProofKey: proofKey}
	d.ID = d.NewID()
	d.Open()
	t.Cleanup(d.Close)
	if err := d.Service.Add(context.Background(), d.setUp("410621108", "410781106")); err != nil {
		t.Fatal(err)
	}
	return d
}

// Another makes one more deployment in the same database, with sites at two places. When it is linked, it has the linkage key of d.
// It is closed before d is, and is not opened again.
func (d *Deployment) Another(linked bool, codes ...string) *Deployment {
	d.T.Helper()
	other := &Deployment{T: d.T, ID: d.NewID(), DB: d.DB, Keys: d.Keys, Workers: map[string]hlc.ID{}, rand: d.rand, clock: d.clock}
	other.SetWall(d.Wall())
	var err error
	if other.Service, err = other.start(d.DB, d.journal); err != nil {
		d.T.Fatal(err)
	}
	d.T.Cleanup(other.Close)
	if linked {
		err = other.Service.AddLinked(context.Background(), other.setUp(codes...), d.Service)
	} else {
		err = other.Service.Add(context.Background(), other.setUp(codes...))
	}
	if err != nil {
		d.T.Fatal(err)
	}
	return other
}

// Beside is the same deployment as another server on the same database has it. That has a journal's file of its own, as on another
// machine.
func (d *Deployment) Beside() *Deployment {
	d.T.Helper()
	d.servers++
	other := &Deployment{T: d.T, ID: d.ID, Keys: d.Keys, Sites: d.Sites, Teams: d.Teams, Workers: d.Workers, at: d.at, kept: fmt.Sprint(d.kept, d.servers),
		rand: rand.NewChaCha8([32]byte{8, byte(d.servers)}), clock: d.clock}
	other.SetWall(d.Wall())
	other.Open()
	d.T.Cleanup(other.Close)
	return other
}

// At has the device talk to a server from now on.
func (v *Device) At(server *Deployment) { v.Deployment = server }

// setUp is what a deployment is made from: a site, and a team, at each place, and workers.
func (d *Deployment) setUp(codes ...string) (records []syncing.SetUpRecord) {
	add := func(m proto.Message) hlc.ID {
		id := d.NewID()
		records = append(records, syncing.SetUpRecord{ID: id, Message: m})
		return id
	}
	records = append(records, syncing.SetUpRecord{ID: d.ID, Message: &recordv1.Deployment{Name: proto.String("test"), StartOn: proto.Int32(20210923), EndOn: proto.Int32(20211206), TimeZone: proto.String("Asia/Shanghai")}})
	for i, code := range codes {
		site := add(&recordv1.Site{Name: proto.String([]string{"王庄镇", "上乐村镇"}[i]), Place: &recordv1.Place{Code: proto.String(code), Edition: proto.Int32(2023)}})
		d.Sites = append(d.Sites, site)
		d.Teams = append(d.Teams, add(&recordv1.Team{Name: proto.String([]string{"one", "two"}[i]), Site: site[:]}))
	}
	worker := func(name string, role recordv1.Role, team []byte) {
		d.Workers[name] = add(&recordv1.Worker{Name: &name, Role: role.Enum(), Type: recordv1.WorkerType_WORKER_TYPE_VOLUNTEER.Enum(), Team: team})
	}
	worker("anna", recordv1.Role_ROLE_FIELD_WORKER, d.Teams[0][:])
	worker("ben", recordv1.Role_ROLE_FIELD_WORKER, d.Teams[0][:])
	worker("carl", recordv1.Role_ROLE_FIELD_WORKER, d.Teams[1][:])
	worker("lead", recordv1.Role_ROLE_TEAM_LEAD, d.Teams[0][:])
	worker("super", recordv1.Role_ROLE_SUPERVISOR, d.Teams[0][:])
	worker("coordinator", recordv1.Role_ROLE_COORDINATOR, nil)
	return records
}

// Stored are the bytes of all files of the database.
func (d *Deployment) Stored() []byte {
	d.T.Helper()
	return StoredIn(d.T, d.at)
}

// Raw opens the database without its store, to do what no server does. Close the deployment before.
func (d *Deployment) Raw() *sql.DB {
	d.T.Helper()
	return RawStore(d.T, d.at)
}

// takePlace says where the deployment is: at an address, or in a new database.
func (d *Deployment) takePlace(t testing.TB, at string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server.db")
	if d.at = at; at == "" {
		d.at = NewStore(t, file)
	}
	d.kept = file + ".journal"
}

// Address is where the database is: a file, or a URL.
func (d *Deployment) Address() string { return d.at }

// Path is the database's file. A test that asks for it is about files, and is skipped where there is none.
func (d *Deployment) Path() string {
	d.T.Helper()
	if OnPostgres {
		d.T.Skip("this is about SQLite's files")
	}
	return d.at
}

// Open opens the store and starts the service, after New or Close.
func (d *Deployment) Open() {
	d.T.Helper()
	service, err := d.TryStart()
	if err != nil {
		d.T.Fatal(err)
	}
	d.Service = service
}

// TryStart opens the store and starts the service, which may be refused.
func (d *Deployment) TryStart() (*syncing.Service, error) {
	kept, err := journal.Open(d.kept, d.Keys.PublicKey())
	if err != nil {
		return nil, err
	}
	db, err := OpenStore(context.Background(), d.at)
	if err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	service, err := d.start(db, kept)
	if err != nil {
		return nil, errors.Join(err, db.Close(), kept.Close())
	}
	d.DB, d.journal = db, kept
	return service, nil
}

func (d *Deployment) start(db *store.DB, kept *journal.File) (*syncing.Service, error) {
	var of syncing.Store = db.Deployment(d.ID)
	if d.Between != nil {
		of = d.Between(of)
	}
	return syncing.Start(context.Background(), syncing.Config{Deployment: d.ID, Store: of, Keys: d.Keys, Journal: kept.Deployment(d.ID), Wall: d.Wall, Entropy: d.rand, Observe: d.observe,
		Failed: func(err error) { d.T.Error(err) }})
}

// Close stops the service and closes the store; again is fine.
func (d *Deployment) Close() {
	if d.DB == nil {
		return
	}
	d.Service.Close()
	if d.journal != nil { // or it is the other deployment's
		if err := errors.Join(d.DB.Close(), d.journal.Close()); err != nil {
			d.T.Error(err)
		}
	}
	d.DB = nil
}

// Copy is the database as it is now, to be put back by SetBack.
func (d *Deployment) Copy() Copied {
	d.T.Helper()
	d.Close()
	defer d.Open()
	return CopyOf(d.T, d.at)
}

// SetBack puts an older copy of the database in place, and tells nobody. Keys and journal stay.
func (d *Deployment) SetBack(older Copied) {
	d.T.Helper()
	d.Close()
	d.at = older.Put(d.T, d.at)
	d.Open()
}

// LoseJournal takes the journal's file away, and what the database has of it.
func (d *Deployment) LoseJournal() {
	d.T.Helper()
	d.Close()
	if err := os.Remove(d.kept); err != nil {
		d.T.Fatal(err)
	}
	d.Exec(`DELETE FROM journal`)
	d.Open()
}

// Exec runs statements in the database, as whoever puts another one in its place beneath the servers, in one transaction.
func (d *Deployment) Exec(statements ...string) {
	d.T.Helper()
	db := RawStore(d.T, d.at)
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(context.Background(), nil)
	for _, statement := range statements {
		if err == nil {
			_, err = tx.ExecContext(context.Background(), statement)
		}
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		d.T.Fatal(err)
	}
}

// Records are all records as merged.
func (d *Deployment) Records() (records []tally.Record) {
	d.T.Helper()
	err := d.DB.Deployment(d.ID).Look(context.Background(), func(tx progress.Reading) error {
		return tx.EachRecord(func(r syncing.Record) error {
			registers, err := record.DecodeState(r.State)
			records = append(records, tally.Record{ID: r.ID, Kind: r.Kind, Registers: registers})
			return err
		})
	})
	if err != nil {
		d.T.Fatal(err)
	}
	return records
}

// NewID makes an id at the test's time.
func (d *Deployment) NewID() hlc.ID {
	d.T.Helper()
	id, err := hlc.NewID(d.clock.Now(), d.rand)
	if err != nil {
		d.T.Fatal(err)
	}
	return id
}

func (d *Deployment) newKey() ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = d.rand.Read(seed)
	return ed25519.NewKeyFromSeed(seed)
}

// Device is a tablet whose every byte the test decides.
type Device struct {
	*Deployment
	Worker  hlc.ID
	Team    hlc.ID
	Device  syncing.Device
	Key     ed25519.PrivateKey
	Nonce   uint64
	Replica hlc.Replica
	Clock   *hlc.Clock
	// Sent are the encoded changes that were sent, in order.
	Sent   [][]byte
	Chain  batch.Hash
	Cursor *syncv1.Mark
	// Journal is up to where the device holds the journal.
	Journal *syncv1.Mark
	// Seen are the records as pulled, Pulled as they came.
	Seen   map[hlc.ID]record.Registers
	Pulled map[hlc.ID]*syncv1.PulledRecord
}

// Enrol makes a code for a worker and lets a new device in with it.
func (d *Deployment) Enrol(worker string) *Device {
	d.T.Helper()
	secret, err := d.Service.NewEnrolmentCode(context.Background(), d.Workers[worker], hlc.ID{}, time.Hour)
	if err != nil {
		d.T.Fatal(err)
	}
	v := &Device{Deployment: d, Worker: d.Workers[worker], Team: d.Service.Person(d.Workers[worker]).Team, Key: d.newKey(), Clock: hlc.NewClock(d.Wall, 0), Seen: map[hlc.ID]record.Registers{}, Pulled: map[hlc.ID]*syncv1.PulledRecord{}, Cursor: &syncv1.Mark{}}
	answer, err := d.Service.Enrol(context.Background(), &syncv1.EnrolRequest{Protocol: 1, Secret: secret, PublicKey: v.Key.Public().(ed25519.PublicKey), Name: worker, App: "servertest"})
	if err != nil {
		d.T.Fatal(err)
	}
	if v.Device, err = d.Service.Device(context.Background(), hlc.ID(answer.GetDevice())); err != nil {
		d.T.Fatal(err)
	}
	v.Renumber()
	return v
}

// Renumber takes a new replica number and begins a new chain.
func (v *Device) Renumber() {
	b := make([]byte, 8)
	_, _ = v.rand.Read(b)
	v.Nonce = binary.BigEndian.Uint64(b)
	v.Replica = hlc.ReplicaOf(v.Key.Public().(ed25519.PublicKey), v.Nonce)
	v.Sent, v.Chain = nil, batch.Start(v.ID, v.Replica)
}

// Stamp is a new stamp of the device.
func (v *Device) Stamp() hlc.Stamp { return hlc.Stamp{Time: v.Clock.Now(), Replica: v.Replica} }

// Make is the change that makes a record of m, with team, author, day and service area filled in where they are absent.
func (v *Device) Make(m record.Common) *record.Change {
	v.T.Helper()
	r := m.ProtoReflect()
	fields := r.Descriptor().Fields()
	for name, value := range map[protoreflect.Name]protoreflect.Value{
		"team": protoreflect.ValueOfBytes(v.Team[:]), "author": protoreflect.ValueOfBytes(v.Worker[:]),
		"occurred_on": protoreflect.ValueOfInt32(20211001), "service_area": protoreflect.ValueOfEnum(1),
	} {
		if f := fields.ByName(name); !r.Has(f) && (name != "team" || v.Team != hlc.ID{}) {
			r.Set(f, value)
		}
	}
	id := v.NewID()
	return v.edit(id, id, record.KindOf(m), nil, m)
}

// Edit is the change that sets the fields of m in a record, by someone who sees it as the device pulled it.
func (v *Device) Edit(id hlc.ID, m record.Common, cleared ...protowire.Number) *record.Change {
	v.T.Helper()
	return v.edit(v.NewID(), id, record.KindOf(m), v.Seen[id], m, cleared...)
}

func (v *Device) edit(id, rec hlc.ID, kind record.Kind, seen record.Registers, m proto.Message, cleared ...protowire.Number) *record.Change {
	v.T.Helper()
	encoded, err := proto.Marshal(m)
	if err != nil {
		v.T.Fatal(err)
	}
	fields, err := record.Canonical(kind, encoded)
	if err != nil {
		v.T.Fatal(err)
	}
	c, err := record.Edit(id, rec, kind, v.Stamp(), seen, fields, cleared)
	if err != nil || c == nil {
		v.T.Fatalf("no change: %v", err)
	}
	return c
}

// Batch is the next batch of some changes. Sending it is another matter.
func (v *Device) Batch(changes ...*record.Change) *syncv1.Batch {
	bodies := make([][]byte, len(changes))
	for i, c := range changes {
		bodies[i] = c.Encode()
	}
	return v.BatchOf(bodies...)
}

// BatchOf is the next batch of changes as they are encoded.
func (v *Device) BatchOf(bodies ...[]byte) *syncv1.Batch {
	return batch.Seal(v.Key, v.ID, v.Replica, v.Nonce, uint64(len(v.Sent))+1, v.Chain, bodies)
}

// Request is a sync with a batch and a pull of everything new.
func (v *Device) Request(b *syncv1.Batch) *syncv1.SyncRequest {
	return &syncv1.SyncRequest{Protocol: 1, Clock: v.Wall().UnixMilli(), Push: b, Pull: &syncv1.Pull{Cursor: v.Cursor}, Journal: v.Journal}
}

// Arrival is that of a request that was signed a moment ago.
func (v *Device) Arrival() syncing.Arrival {
	return syncing.Arrival{Began: v.Wall(), TokenExpires: v.Wall().Add(time.Minute)}
}

// Sync sends a request and takes the answer in.
func (v *Device) Sync(r *syncv1.SyncRequest) (*syncv1.SyncResponse, error) {
	v.T.Helper()
	answer, err := v.Service.Sync(context.Background(), v.Device, v.Arrival(), r)
	if err != nil {
		return nil, err
	}
	for _, p := range answer.GetPage().GetRecords() {
		if p.GetState() == nil {
			continue
		}
		registers, err := record.DecodeState(p.GetState())
		if err != nil {
			v.T.Fatal(err)
		}
		v.Seen[hlc.ID(p.GetId())], v.Pulled[hlc.ID(p.GetId())] = registers, p
		v.Clock.Observe(registers.Newest())
	}
	if answer.GetJournal() != nil {
		v.Journal = answer.GetJournal()
	}
	if answer.GetPage() != nil {
		v.Cursor = answer.GetPage().GetCursor()
	}
	return answer, nil
}

// Push sends changes in one batch, which must be taken, and remembers them as sent.
func (v *Device) Push(changes ...*record.Change) *syncv1.SyncResponse {
	v.T.Helper()
	bodies := make([][]byte, len(changes))
	for i, c := range changes {
		bodies[i] = c.Encode()
	}
	return v.PushBodies(bodies...)
}

// PushBodies sends changes as they are encoded in one batch, which must be taken, and remembers them as sent.
func (v *Device) PushBodies(bodies ...[]byte) *syncv1.SyncResponse {
	v.T.Helper()
	answer, err := v.Sync(v.Request(v.BatchOf(bodies...)))
	if err != nil {
		v.T.Fatal(err)
	}
	v.Remember(bodies...)
	if have := answer.GetAcknowledgement().GetHave(); have != uint64(len(v.Sent)) {
		v.T.Fatalf("server has %d of %d changes", have, len(v.Sent))
	}
	return answer
}

// Remember takes changes for sent: the next batch follows them.
func (v *Device) Remember(bodies ...[]byte) {
	for _, b := range bodies {
		v.Sent = append(v.Sent, b)
		v.Chain = batch.Next(v.Chain, batch.HashOf(b))
	}
}

// Pull pulls everything new.
func (v *Device) Pull() *syncv1.Page {
	v.T.Helper()
	answer, err := v.Sync(v.Request(v.BatchOf()))
	if err != nil {
		v.T.Fatal(err)
	}
	return answer.GetPage()
}

// Shows says in which form a secret stands in a text: as it is, in hexadecimal digits, or in base64; "" when in none.
func Shows(text string, secret []byte) string {
	digits := hex.EncodeToString(secret)
	switch {
	case strings.Contains(text, string(secret)):
		return "as it is"
	case strings.Contains(strings.ToLower(text), digits[:16]), strings.Contains(text, digits[:8]+"-"+digits[8:12]):
		return "in hexadecimal digits"
	}
	for skip := range 3 { // where in threes of bytes it begins depends on what comes before it
		whole := secret[skip : skip+(len(secret)-skip)/3*3]
		if strings.Contains(text, base64.StdEncoding.EncodeToString(whole)) || strings.Contains(text, base64.URLEncoding.EncodeToString(whole)) {
			return "in base64"
		}
	}
	return ""
}

// LinkageKey is the deployment's linkage key, as it is stored for tablets.
func (d *Deployment) LinkageKey() []byte {
	d.T.Helper()
	v := d.Enrol("coordinator")
	v.Pull()
	key, _ := record.CutBytes(v.Seen[d.ID].Get(record.LinkageKeyField).Value)
	if len(key) != record.LinkageKeyBytes {
		d.T.Fatalf("the deployment has the linkage key %x", key)
	}
	return key
}

// LinkageConflict makes a conflict about the linkage key, which no tablet can, and returns its id.
func (d *Deployment) LinkageConflict() hlc.ID {
	d.T.Helper()
	value := protowire.AppendBytes(protowire.AppendTag(nil, record.LinkageKeyField, protowire.BytesType), d.LinkageKey())
	id := d.NewID()
	err := d.Service.Add(context.Background(), []syncing.SetUpRecord{{ID: id, Message: &recordv1.Conflict{Target: d.ID[:], TargetKind: recordv1.Kind_KIND_DEPLOYMENT.Enum(),
		Field: proto.Uint32(uint32(record.LinkageKeyField)), Sides: []*recordv1.ConflictSide{{Value: value, Time: proto.Uint64(1), Replica: proto.Uint64(1)}}}}})
	if err != nil {
		d.T.Fatal(err)
	}
	return id
}
