package world

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// hand is a device whose every byte is written here: it sends what no tablet of this program would, such as kinds that
// only a newer one knows, or set-up records. It keeps all its changes and sends again what the server lacks.
type hand struct {
	w          *world
	name       string
	deployment hlc.ID
	device     hlc.ID
	worker     hlc.ID
	key        ed25519.PrivateKey
	nonce      uint64
	entropy    io.Reader
	clock      *hlc.Clock
	sent       []*record.Change // all that it wrote
	bodies     [][]byte
	have       uint64 // of them, the server has
	accepted   uint64 // and once had
	seen       map[hlc.ID]record.Registers
	next       http.RoundTripper
	// given is what its next request gives back.
	given []*syncv1.GivenRecord
}

// clone is the same device in another world.
func (h *hand) clone(w *world) *hand {
	c := *h
	c.w, c.entropy = w, entropy(w.seed, partHand+h.nonce%1000)
	c.clock = hlc.NewClock(w.wall, 0)
	c.seen = map[hlc.ID]record.Registers{}
	c.next = &link{w: w, name: h.name}
	return &c
}

func (h *hand) replica() hlc.Replica {
	return hlc.ReplicaOf(h.key.Public().(ed25519.PublicKey), h.nonce)
}

// RoundTrip signs a request and sends it on its way.
func (h *hand) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if h.device != (hlc.ID{}) {
		token, err := wire.SignToken(h.key, h.deployment, h.device, body, h.clock.Wall())
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return h.next.RoundTrip(r)
}

func (h *hand) client() syncv1connect.SyncServiceClient {
	return syncv1connect.NewSyncServiceClient(&http.Client{Transport: h}, serverURL, wire.ClientOptions()...)
}

// enrol makes the device known to the server.
func (h *hand) enrol(ctx context.Context, text string) error {
	code, err := wire.ParseEnrolmentCode(text)
	if err != nil {
		return err
	}
	random := make([]byte, ed25519.SeedSize+8)
	if _, err := io.ReadFull(h.entropy, random); err != nil {
		return err
	}
	h.key, h.nonce, h.deployment, h.worker = ed25519.NewKeyFromSeed(random[:ed25519.SeedSize]), binary.BigEndian.Uint64(random[ed25519.SeedSize:]), code.Deployment, code.Worker
	answer, err := h.client().Enrol(ctx, connect.NewRequest(&syncv1.EnrolRequest{
		Protocol: 1, Secret: code.Secret, PublicKey: h.key.Public().(ed25519.PublicKey), Name: h.name, App: "hand", Deployment: code.Deployment[:]}))
	if err != nil {
		return fmt.Errorf("enrolling %s: %w", h.name, err)
	}
	h.device = hlc.ID(answer.Msg.GetDevice())
	return nil
}

func (h *hand) chainAt(n uint64) batch.Hash {
	chain := batch.Start(h.deployment, h.replica())
	for _, b := range h.bodies[:n] {
		chain = batch.Next(chain, batch.HashOf(b))
	}
	return chain
}

// write keeps a change, to be sent.
func (h *hand) write(id, rec hlc.ID, kind record.Kind, fields []byte) error {
	c, err := record.Edit(id, rec, kind, hlc.Stamp{Time: h.clock.Now(), Replica: h.replica()}, h.seen[rec], fields, nil)
	if err != nil || c == nil {
		return err
	}
	h.sent, h.bodies = append(h.sent, c), append(h.bodies, c.Encode())
	h.seen[rec] = record.Merge(h.seen[rec], c.Registers())
	h.w.accepted[c.ID] = []told{{replica: int64(c.Stamp.Replica), body: c.Encode()}} //nolint:gosec // a replica number has 63 bits
	h.w.say("  %s writes %v %s by hand (change %s)", h.name, kind, short(rec), short(c.ID))
	return nil
}

// sync sends what the server lacks, and looks at everything. It tells whether all is done.
func (h *hand) sync() (done bool, err error) {
	if h.w.host.sane != nil {
		return false, nil // whoever sits beside the server sees that its clock is wrong
	}
	request := &syncv1.SyncRequest{Protocol: 1, Clock: h.w.wall().UnixMilli(),
		Push: batch.Seal(h.key, h.deployment, h.replica(), h.nonce, h.have+1, h.chainAt(h.have), h.bodies[h.have:]), Pull: &syncv1.Pull{Cursor: &syncv1.Mark{}}}
	if h.accepted > h.have {
		request.Accepted = h.accepted
	}
	request.GiveBack = h.given
	h.given = nil
	answer, err := h.client().Sync(h.w.ctx, connect.NewRequest(request))
	if h.w.fatal != nil {
		return false, h.w.fatal
	}
	if err != nil {
		code := problem.FromConnect(err).Code
		h.w.say("  %s syncs by hand: %s", h.name, code)
		if !h.w.journey.garbled && !slices.Contains(linkCodes, string(code)) {
			return false, h.w.broken("sync of %s by hand: %v", h.name, err)
		}
		return false, nil
	}
	ack := answer.Msg.GetAcknowledgement()
	if h.w.journey.garbled {
		return false, nil // this simple device can't tell, and asks again
	}
	if have := ack.GetHave(); ack.GetForked() || have > uint64(len(h.bodies)) {
		return false, h.w.broken("the server has %d changes of %s, who made %d", have, h.name, len(h.bodies))
	}
	h.have = ack.GetHave()
	h.accepted = max(h.accepted, h.have)
	for _, p := range answer.Msg.GetPage().GetRecords() {
		if p.GetState() == nil {
			h.w.wrong("%s asked for everything and got record %s without its state", h.name, short(hlc.ID(p.GetId())))
			continue
		}
		registers, err := record.DecodeState(p.GetState())
		if err != nil {
			return false, h.w.broken("%s can't read a record: %v", h.name, err)
		}
		h.seen[hlc.ID(p.GetId())] = registers
		if newest := registers.Newest(); newest <= hlc.TimeOf(h.w.wall().Add(tolerance)) { // else nobody would take its changes
			h.clock.Observe(newest)
		}
	}
	for _, c := range h.sent[h.have:] { // which the server's state does not have
		h.seen[c.Record] = record.Merge(h.seen[c.Record], c.Registers())
	}
	h.w.say("  %s syncs by hand: the server has %d", h.name, h.have)
	return h.have == uint64(len(h.bodies)), nil
}

// newerKinds are kinds that nobody here knows.
var newerKinds = []record.Kind{40, 41}

// newerWorks lets tablets of a newer program work: one logs with fields, the other with kinds that are unknown here.
func (w *world) newerWorks(r *rand.Rand) error {
	if r.IntN(2) == 0 {
		return w.logUnknownFields(r)
	}
	h := w.newer
	id, err := hlc.NewID(h.clock.Now(), h.entropy)
	if err != nil {
		return err
	}
	team := w.made.teams["one"]
	fields := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), team[:])
	rec, kind := id, oneOf(r, newerKinds...)
	if n := len(h.sent); n > 0 && r.IntN(2) == 0 {
		of := h.sent[r.IntN(n)]
		rec, kind, fields = of.Record, of.Kind, nil
	}
	if err := h.write(id, rec, kind, append(fields, unknown(r)...)); err != nil {
		return err
	}
	w.met(NewerKinds)
	_, err = h.sync()
	return err
}

func (w *world) logUnknownFields(r *rand.Rand) error {
	p := person{w.tablets[0], r}
	w.met(NewerFields)
	var err error
	if of, ok := p.any(kActivity, kSession, kCase); ok && r.IntN(2) == 0 {
		m := record.New(of.Kind)
		m.ProtoReflect().SetUnknown(unknown(r))
		err = p.store.Update(w.ctx, of.ID, m)
	} else {
		m := p.activity()
		m.ProtoReflect().SetUnknown(unknown(r))
		err = p.logged(p.store.LogCommunityActivity(w.ctx, m))
	}
	if err := w.excuse(p.tablet, err); err != nil {
		return err
	}
	return p.remember()
}

// moveWorker posts a worker anew, in the coordinator's office: to another team, or a supervisor to others, or as one from
// outside.
func (w *world) moveWorker(r *rand.Rand) error {
	h := w.office
	if done, err := h.sync(); err != nil || !done {
		return err // who does not see how things stand changes nothing
	}
	name := oneOf(r, "anna", "ben", "lena", "carl", "sven", "sven")
	team := w.made.teams[oneOf(r, "one", "two")]
	worker := &recordv1.Worker{Team: team[:]}
	met, what := WorkerMoved, "moves to another team"
	if name == "sven" {
		switch r.IntN(3) {
		case 0:
			worker = &recordv1.Worker{Supervises: [][]byte{team[:]}}
			met, what = SupervisorPosted, "supervises another team"
		case 1:
			worker = &recordv1.Worker{External: proto.Bool(r.IntN(2) == 0)}
			met, what = SupervisorPosted, "is, or is no longer, from outside"
		}
	}
	fields, err := proto.Marshal(worker)
	if err != nil {
		return err
	}
	id, err := hlc.NewID(h.clock.Now(), h.entropy)
	if err != nil {
		return err
	}
	before := len(h.sent)
	if err := h.write(id, hlc.ID(w.made.worker(name)), recordv1.Kind_KIND_WORKER, fields); err != nil || len(h.sent) == before {
		return err
	}
	w.met(met)
	w.say("  %s %s", name, what)
	_, err = h.sync()
	return err
}

// forgedText stands in what is forged, so that it is known again.
const forgedText = "forged"

// forge gives back a record as the server never sent it: one that all know, with a later edit that nobody made.
func (h *hand) forge(r *rand.Rand) error {
	w := h.w
	ids := sorted(h.seen)
	ids = slices.DeleteFunc(ids, func(id hlc.ID) bool { return !slices.Contains(w.ids, id) })
	if len(ids) == 0 {
		_, err := h.sync() // to see some
		return err
	}
	id := oneOf(r, ids...)
	kind, err := w.host.kindOf(id)
	if err != nil || kind == 0 {
		return err
	}
	const field = 2000 // of any kind
	value := protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), forgedText)
	state := record.Merge(h.seen[id], record.Registers{{Field: field, Value: value, Stamp: hlc.Stamp{Time: h.clock.Now(), Replica: h.replica()}}})
	h.given = []*syncv1.GivenRecord{{Id: id[:], Kind: uint32(kind), State: record.EncodeState(state), Proof: []byte("forgery!")}} //nolint:gosec // kinds are positive
	w.met(Forged)
	w.say("  %s gives back %s as nobody ever had it", h.name, short(id))
	_, err = h.sync()
	return err
}

// decide writes what shall become of a held change.
func (h *hand) decide(change hlc.ID, d recordv1.Decision) error {
	fields, err := proto.Marshal(&recordv1.HeldDecision{Author: h.worker[:], Change: change[:], Decision: d.Enum(), Reason: proto.String("world")})
	if err != nil {
		return err
	}
	id, err := hlc.NewID(h.clock.Now(), h.entropy)
	if err != nil {
		return err
	}
	h.w.met(Decided)
	h.w.say("  %s decides on change %s: %s", h.name, short(change), d)
	return h.write(id, id, recordv1.Kind_KIND_HELD_DECISION, fields)
}
