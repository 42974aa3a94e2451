package servertest

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
)

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

// At has the device talk to a server from now on.
func (v *Device) At(server *Deployment) { v.Deployment = server }

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
