// Package servertest gives tests a deployment on a real store, in SQLite or where LEVEE_TEST_DB is "postgres" there, and devices that write signed batches by hand, so
// that a test can send what no tablet would.
package servertest

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/journal"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
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
