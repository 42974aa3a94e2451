package bench

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// batchSize is how many changes a tablet sends in one batch.
const batchSize = 400

// device sends what a tablet does, without a store of its own.
type device struct {
	worker, team hlc.ID
	site         hlc.ID
	// at is when it logs, and wall its clock when it sends.
	at         time.Time
	wall       func() time.Time
	key        ed25519.PrivateKey
	id         hlc.ID
	deployment hlc.ID
	replica    hlc.Replica
	nonce      uint64
	clock      *hlc.Clock
	entropy    *rand.ChaCha8
	chain      batch.Hash
	sent       uint64
	waiting    [][]byte
	// last is the batch that was sent last.
	last *syncv1.Batch
	// cursor is up to where it has pulled.
	cursor *syncv1.Mark
	// journal is up to where it has the journal.
	journal *syncv1.Mark
	traffic traffic
	rpc     syncv1connect.SyncServiceClient
}

// enrol lets a device in with a code, by its clock.
func enrol(ctx context.Context, handler http.Handler, code string, seed uint64, wall func() time.Time) (*device, error) {
	c, err := wire.ParseEnrolmentCode(code)
	if err != nil {
		return nil, fmt.Errorf("reading an enrolment code: %w", err)
	}
	var source [32]byte
	binary.LittleEndian.PutUint64(source[:], seed)
	d := &device{worker: c.Worker, deployment: c.Deployment, entropy: rand.NewChaCha8(source), at: now, wall: wall, cursor: &syncv1.Mark{}, journal: &syncv1.Mark{}}
	d.clock = hlc.NewClock(func() time.Time { return d.at }, 0)
	seedOfKey := make([]byte, ed25519.SeedSize)
	_, _ = d.entropy.Read(seedOfKey) // it never fails
	d.key = ed25519.NewKeyFromSeed(seedOfKey)
	d.nonce = d.entropy.Uint64()
	public := d.key.Public().(ed25519.PublicKey) //nolint:forcetypeassert // of an Ed25519 key
	d.replica = hlc.ReplicaOf(public, d.nonce)
	d.chain = batch.Start(d.deployment, d.replica)
	d.reach(c.ServerURL, &inProcess{handler})
	answer, err := d.rpc.Enrol(ctx, connect.NewRequest(&syncv1.EnrolRequest{Protocol: 1, Secret: c.Secret, PublicKey: public, Name: "bench", App: "leveed bench", Deployment: d.deployment[:]}))
	if err != nil {
		return nil, fmt.Errorf("enrolling a device: %w", err)
	}
	d.id = hlc.ID(answer.Msg.GetDevice())
	return d, d.learn(answer.Msg.GetSetUp())
}

// learn finds out from the set-up in which team the device's worker is, and at which site that works.
func (d *device) learn(setUp []*syncv1.PulledRecord) error {
	read := func(id hlc.ID, field protowire.Number) hlc.ID {
		for _, r := range setUp {
			if hlc.ID(r.GetId()) == id {
				registers, err := record.DecodeState(r.GetState())
				if err != nil {
					return hlc.ID{}
				}
				return registers.Get(field).ID()
			}
		}
		return hlc.ID{}
	}
	d.team = read(d.worker, teamField)
	if d.site = read(d.team, siteField); d.site == (hlc.ID{}) {
		return fmt.Errorf("the worker %v has no team at a site", d.worker)
	}
	return nil
}

// Fields that all kinds have.
const (
	siteField protowire.Number = 1
	teamField protowire.Number = 2
)

// log makes a record and leaves it to be sent. What all kinds have in common is filled in.
func (d *device) log(day record.Date, m record.Common) (hlc.ID, error) {
	r := m.ProtoReflect()
	fields := r.Descriptor().Fields()
	for name, value := range map[protoreflect.Name]protoreflect.Value{
		"team": protoreflect.ValueOfBytes(d.team[:]), "site": protoreflect.ValueOfBytes(d.site[:]), "author": protoreflect.ValueOfBytes(d.worker[:]),
		"occurred_on": protoreflect.ValueOfInt32(int32(day)),
	} {
		if f := fields.ByName(name); !r.Has(f) {
			r.Set(f, value)
		}
	}
	stamp := hlc.Stamp{Time: d.clock.Now(), Replica: d.replica}
	id, err := hlc.NewID(stamp.Time, d.entropy)
	if err != nil {
		return id, err
	}
	encoded, err := proto.Marshal(m)
	if err != nil {
		return id, err
	}
	kind := record.KindOf(m)
	if encoded, err = record.Canonical(kind, encoded); err != nil {
		return id, err
	}
	c, err := record.Edit(id, id, kind, stamp, nil, encoded, nil)
	if err != nil {
		return id, err
	}
	d.waiting = append(d.waiting, c.Encode())
	return id, nil
}

// push sends what waits, in batches. What is held would not be among the records, so it is an error.
func (d *device) push(ctx context.Context) error {
	for len(d.waiting) > 0 {
		n := min(len(d.waiting), batchSize)
		d.last = batch.Seal(d.key, d.deployment, d.replica, d.nonce, d.sent+1, d.chain, d.waiting[:n])
		request := d.request()
		request.Push, request.Unsent = d.last, uint64(len(d.waiting)-n) //nolint:gosec // a small number
		if _, err := d.sync(ctx, request); err != nil {
			return fmt.Errorf("pushing a batch: %w", err)
		}
		d.acknowledged(d.last)
	}
	return nil
}

// request is one with nothing in it.
func (d *device) request() *syncv1.SyncRequest {
	return &syncv1.SyncRequest{Protocol: 1, Clock: d.wall().UnixMilli(), Journal: d.journal}
}

// sync does one round trip, and keeps what the server tells of its journal. The server must have all that was sent, and hold nothing of it.
func (d *device) sync(ctx context.Context, request *syncv1.SyncRequest) (*syncv1.SyncResponse, error) {
	answer, err := d.rpc.Sync(ctx, connect.NewRequest(request))
	if err != nil {
		return nil, err
	}
	ack := answer.Msg.GetAcknowledgement()
	if held := ack.GetHeld(); len(held) > 0 {
		return nil, fmt.Errorf("the server holds %d changes of a batch: %v", len(held), held[0])
	}
	if b := request.GetPush(); b != nil {
		if last := b.GetFirst() + uint64(len(b.GetEntries())) - 1; ack.GetHave() < last || ack.GetDurable() < last || ack.GetForked() {
			return nil, fmt.Errorf("the server has %d changes of %d, and %d of them are durable", ack.GetHave(), last, ack.GetDurable())
		}
	}
	if told := answer.Msg.GetJournal(); told != nil {
		d.journal = told
	}
	return answer.Msg, nil
}

// resend sends the batch again that was sent last, as a tablet does whose answer was lost.
func (d *device) resend(ctx context.Context) error {
	request := d.request()
	request.Push = d.last
	if _, err := d.sync(ctx, request); err != nil {
		return fmt.Errorf("sending a batch again: %w", err)
	}
	return nil
}

// pull pulls page after page until there is no more, and hands each record over. Like a tablet it asks with each page how
// far the server has what it sent.
func (d *device) pull(ctx context.Context, take func(*syncv1.PulledRecord)) error {
	for {
		request := d.request()
		request.Push = batch.Seal(d.key, d.deployment, d.replica, d.nonce, d.sent+1, d.chain, nil)
		if more, err := d.page(ctx, request, take); err != nil || !more {
			return err
		}
	}
}

// both does what a tablet's sync does: what waits goes up with the request for the first page, and pages come until there are
// no more.
func (d *device) both(ctx context.Context, take func(*syncv1.PulledRecord)) error {
	for {
		n := min(len(d.waiting), batchSize)
		b := batch.Seal(d.key, d.deployment, d.replica, d.nonce, d.sent+1, d.chain, d.waiting[:n])
		request := d.request()
		request.Push, request.Unsent = b, uint64(len(d.waiting)-n) //nolint:gosec // a small number
		more, err := d.page(ctx, request, take)
		if err != nil {
			return err
		}
		d.acknowledged(b)
		if !more && len(d.waiting) == 0 {
			return nil
		}
	}
}

// page asks for a page besides what else a request has, and reports whether more follow.
func (d *device) page(ctx context.Context, request *syncv1.SyncRequest, take func(*syncv1.PulledRecord)) (more bool, err error) {
	request.Pull = &syncv1.Pull{Cursor: d.cursor}
	answer, err := d.sync(ctx, request)
	if err != nil {
		return false, fmt.Errorf("asking for a page: %w", err)
	}
	page := answer.GetPage()
	if page.GetSendMarks() || page.GetCursor() == nil {
		return false, errors.New("the server does not know the place up to which the device has pulled")
	}
	for _, r := range page.GetRecords() {
		take(r)
	}
	d.cursor = page.GetCursor()
	return d.cursor.GetPosition() < page.GetHead().GetPosition(), nil
}

// acknowledged takes a batch off what waits.
func (d *device) acknowledged(b *syncv1.Batch) {
	n := len(b.GetEntries())
	for _, body := range d.waiting[:n] {
		d.chain = batch.Next(d.chain, batch.HashOf(body))
	}
	d.sent += uint64(n)
	d.waiting = d.waiting[n:]
}
