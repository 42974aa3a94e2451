package localdb

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// written is a tablet that has logged some records, and the hashes of its changes.
type written struct {
	*DB
	t       *testing.T
	records []hlc.ID
	hashes  []batch.Hash
}

func (w *written) in(f func(*Tx, *Tablet) error) {
	w.t.Helper()
	err := w.Write(context.Background(), func(tx *Tx) error {
		tablet, err := tx.Tablet()
		if err != nil {
			return err
		}
		return f(tx, tablet)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *written) log(kind record.Kind, m proto.Message) {
	w.t.Helper()
	w.in(func(tx *Tx, tablet *Tablet) error {
		encoded, err := proto.Marshal(m)
		if err != nil {
			return err
		}
		stamp := hlc.Stamp{Time: tablet.Clock(func() time.Time { return start }).Now(), Replica: tablet.Replica}
		id, err := hlc.NewID(stamp.Time, bytes.NewReader(bytes.Repeat([]byte{byte(len(w.records))}, 16)))
		if err != nil {
			return err
		}
		c, err := record.Edit(id, id, kind, stamp, nil, encoded, nil)
		if err != nil {
			return err
		}
		w.records, w.hashes = append(w.records, id), append(w.hashes, batch.HashOf(c.Encode()))
		return tx.Append(tablet, c)
	})
}

// hear has the tablet keep an entry of the journal.
func (w *written) hear(sort string, id hlc.ID) {
	w.t.Helper()
	entry, err := proto.Marshal(&syncv1.JournalEntry{Sort: sort, Subject: id[:]})
	if err != nil {
		w.t.Fatal(err)
	}
	w.in(func(tx *Tx, tablet *Tablet) error {
		_, err := tx.KeepJournal(tablet, [][]byte{entry}, tablet.Journal, false)
		return err
	})
}

func (w *written) acknowledge(have uint64) {
	w.t.Helper()
	w.in(func(tx *Tx, tablet *Tablet) error {
		chain, err := tx.ChainAt(tablet, have)
		if err != nil {
			return err
		}
		return tx.Acknowledge(tablet, Acknowledgement{After: tablet.Acknowledged, Have: have, Chain: chain[:batch.ShortChain], Durable: have})
	})
}

// chained checks that the own chain is that of the hashes, and tells which entries of the outbox have bodies.
func (w *written) chained() (bodies []bool) {
	w.t.Helper()
	w.in(func(tx *Tx, tablet *Tablet) error {
		outbox, err := tx.Outbox(tablet, 100, 1<<20)
		if err != nil {
			return err
		}
		at := tablet.AcknowledgedChain
		for i, e := range outbox {
			bodies = append(bodies, len(e.GetChange()) > 0)
			hash := batch.HashOf(e.GetChange())
			if e.GetHash() != nil {
				hash = batch.Hash(e.GetHash())
			}
			if want := w.hashes[int(tablet.Acknowledged)+i]; hash != want {
				w.t.Errorf("entry %d of the outbox is another change", i)
			}
			at = batch.Next(at, hash)
		}
		if at != tablet.Chain {
			w.t.Error("the outbox does not lead to the end of the chain")
		}
		sealed := batch.SealEntries(tablet.Key, tablet.Deployment, tablet.Replica, tablet.Nonce, tablet.Acknowledged+1, tablet.AcknowledgedChain, outbox)
		_, err = batch.Open(tablet.ServerKey, tablet.Deployment, sealed)
		return err
	})
	return bodies
}

func (w *written) has(id hlc.ID) (there bool) {
	w.t.Helper()
	w.in(func(tx *Tx, _ *Tablet) (err error) {
		_, there, err = tx.Record(id)
		return err
	})
	return there
}

func newWritten(t *testing.T) *written {
	w := &written{DB: newDB(t), t: t}
	w.log(recordv1.Kind_KIND_OUTREACH, &recordv1.Outreach{Needs: proto.String("棉被")})
	w.log(recordv1.Kind_KIND_CASE_NOTE, &recordv1.CaseNote{Process: proto.String("秘密")})
	w.log(recordv1.Kind_KIND_PARTICIPANT, &recordv1.Participant{Token: bytes.Repeat([]byte{7}, 16)})
	w.log(recordv1.Kind_KIND_CASE_NOTE, &recordv1.CaseNote{Process: proto.String("又一个秘密")})
	w.log(recordv1.Kind_KIND_OUTREACH, &recordv1.Outreach{Needs: proto.String("药")})
	return w
}

// What is erased leaves a hash in the chain, sent or not.
func TestAnErasedChangeIsSentAsItsHash(t *testing.T) {
	w := newWritten(t)
	w.acknowledge(2)
	w.hear(wire.JournalErased, w.records[1])
	w.hear(wire.JournalErased, w.records[3])
	w.hear(wire.JournalTokensIn, w.records[2])
	w.hear("what is not known yet", w.records[4])
	if got := w.chained(); len(got) != 3 || !got[0] || got[1] || !got[2] { // the token's own change is not with the server yet
		t.Errorf("bodies in the outbox: %v", got)
	}
	for i, want := range []bool{true, false, true, false, true} {
		if w.has(w.records[i]) != want {
			t.Errorf("record %d is there: %v", i, !want)
		}
	}
	w.acknowledge(5)
	if !w.has(w.records[2]) {
		t.Error("the record with the token went with its change")
	}
	// A server that lost history gets them again: so the chain from its beginning must still be told.
	w.in(func(tx *Tx, tablet *Tablet) error {
		at := batch.Start(tablet.Deployment, tablet.Replica)
		chains, err := tx.ChainsAt(&Tablet{Deployment: tablet.Deployment, Replica: tablet.Replica, Sequence: 6, AcknowledgedChain: at}, []uint64{1, 2, 3, 4, 5})
		if err != nil {
			return err
		}
		for i, hash := range w.hashes {
			if at = batch.Next(at, hash); chains[i] != at {
				t.Errorf("the chain at %d differs", i+1)
			}
		}
		tablet.Acknowledged, tablet.AcknowledgedChain = 0, batch.Start(tablet.Deployment, tablet.Replica)
		return tx.Save(tablet)
	})
	if got := w.chained(); len(got) != 5 || !got[0] || got[1] || got[2] || got[3] || !got[4] {
		t.Errorf("bodies in the outbox: %v", got)
	}
	// A server that was set back and does not know of it sends it again: it is not taken.
	w.in(func(tx *Tx, tablet *Tablet) error {
		state := record.EncodeState(record.Registers{{Field: 17, Value: []byte{0x8a, 0x01, 1, 'x'}, Stamp: hlc.Stamp{Time: 1, Replica: 1}}})
		_, err := tx.Pull(tablet, []Pulled{{ID: w.records[1], Kind: recordv1.Kind_KIND_CASE_NOTE, Position: 9, State: state, Proof: []byte{1}}}, true)
		return err
	})
	if w.has(w.records[1]) {
		t.Error("an erased record was taken from a page")
	}
}

// A clock that is corrected, and a new number, leave out what is erased.
func TestErasedChangesAreNeitherRestampedNorRenumbered(t *testing.T) {
	w := newWritten(t)
	w.hear(wire.JournalErased, w.records[1])
	w.in(func(tx *Tx, tablet *Tablet) error {
		n, err := tx.Restamp(tablet, time.Hour, hlc.TimeOf(start.Add(2*time.Hour)), hlc.TimeOf(start.Add(3*time.Hour)))
		if n != 4 {
			t.Errorf("%d changes were moved", n)
		}
		return err
	})
	w.in(func(tx *Tx, tablet *Tablet) error {
		all, err := tx.changes(tablet, `1`)
		for _, o := range all {
			w.hashes[o.sequence-1] = batch.HashOf(o.body)
		}
		return err
	})
	if got := w.chained(); len(got) != 5 || got[1] {
		t.Errorf("bodies in the outbox: %v", got)
	}
	w.in(func(tx *Tx, tablet *Tablet) error {
		n, err := tx.Fork(tablet, Acknowledgement{}, 2)
		if n != 4 || tablet.Sequence != 4 {
			t.Errorf("%d changes under the new number, up to %d", n, tablet.Sequence)
		}
		return err
	})
	if w.has(w.records[1]) {
		t.Error("the record is there again")
	}
}

// Once the whole deployment is erased, nothing confidential is left, sent or not; tokens stay until the server has them, and its
// versions take their place though they have the same stamps.
func TestAnErasedDeploymentLeavesHashes(t *testing.T) {
	w := newWritten(t)
	w.log(recordv1.Kind_KIND_REVIEW, &recordv1.Review{Target: w.records[1][:], Comment: proto.String("秘密？")})
	w.log(recordv1.Kind_KIND_REVIEW, &recordv1.Review{Target: w.records[0][:], Comment: proto.String("好")})
	w.in(func(tx *Tx, _ *Tablet) error {
		form := hlc.ID{9}
		return tx.SaveForm(Form{ID: form, Kind: recordv1.Kind_KIND_OUTREACH, Values: []byte("秘密")})
	})
	w.acknowledge(2)
	var deployment hlc.ID
	w.in(func(tx *Tx, tablet *Tablet) error {
		deployment, tablet.Cursor = tablet.Deployment, Mark{Position: 7, Chain: bytes.Repeat([]byte{1}, batch.ShortChain)}
		return tx.Save(tablet)
	})
	w.hear(wire.JournalDeploymentErased, hlc.ID{0xee}) // another one
	if !w.has(w.records[1]) {
		t.Fatal("a note is gone")
	}
	w.hear(wire.JournalDeploymentErased, deployment)
	if got, want := w.chained(), []bool{true, false, true, false, true}; !slices.Equal(got, want) {
		t.Errorf("bodies in the outbox: %v", got)
	}
	for i, want := range []bool{true, false, true, false, true, false, true} {
		if w.has(w.records[i]) != want {
			t.Errorf("record %d is there: %v", i, !want)
		}
	}
	w.in(func(tx *Tx, tablet *Tablet) error {
		erased, err := tx.Erased(tablet)
		if forms, ferr := tx.UnfinishedForms(); forms != 0 || ferr != nil {
			t.Errorf("%d forms, %v", forms, ferr)
		}
		if !erased || tablet.Cursor.Position != 0 || tablet.Recheck.Position != 7 {
			t.Errorf("erased %v, pulls from %v, compares at %v", erased, tablet.Cursor, tablet.Recheck)
		}
		return err
	})
	var was record.Registers
	w.in(func(tx *Tx, _ *Tablet) error {
		r, err := tx.load(w.records[2], recordv1.Kind_KIND_PARTICIPANT)
		if err == nil {
			was = r.view
		}
		return err
	})
	w.acknowledge(7)
	if w.has(w.records[2]) {
		t.Error("a record is there with its token, of which the server has another")
	}
	w.in(func(tx *Tx, tablet *Tablet) error {
		own, err := tx.allChanges(`record = $1`, w.records[2][:])
		if len(own) != 0 {
			t.Error("the own change has its token still")
		}
		// The server's token is the lesser one.
		state := slices.Clone(was)
		i := slices.IndexFunc(state, func(r record.Register) bool { return r.Field == participantToken })
		state[i].Value = append(slices.Clone(state[i].Value[:len(state[i].Value)-16]), bytes.Repeat([]byte{3}, 16)...)
		note := record.EncodeState(record.Registers{{Field: 17, Value: []byte{0x8a, 0x01, 1, 'x'}, Stamp: hlc.Stamp{Time: 1, Replica: 1}}})
		_, err3 := tx.Pull(tablet, []Pulled{{ID: w.records[2], Kind: recordv1.Kind_KIND_PARTICIPANT, Position: 9, State: record.EncodeState(state), Proof: []byte{1}},
			{ID: hlc.ID{8}, Kind: recordv1.Kind_KIND_CASE_NOTE, Position: 10, State: note, Proof: []byte{1}}}, true)
		now, err4 := tx.load(w.records[2], recordv1.Kind_KIND_PARTICIPANT)
		if err4 == nil && now.view.Get(participantToken).ID() != hlc.ID(bytes.Repeat([]byte{3}, 16)) {
			t.Errorf("the token is %v", now.view.Get(participantToken).ID())
		}
		return errors.Join(err, err3, err4)
	})
	if w.has(hlc.ID{8}) {
		t.Error("a note was taken from a page")
	}
	// What is written later goes once it is sent.
	w.log(recordv1.Kind_KIND_CASE_NOTE, &recordv1.CaseNote{Process: proto.String("秘密")})
	if later := w.records[len(w.records)-1]; !w.has(later) {
		t.Error("a note is not shown before it is sent")
	} else if w.acknowledge(8); w.has(later) {
		t.Error("a note is there still")
	}
}

// What the tablet has of the server with a token in it goes once the deployment is erased, and comes anew if the tablet may have it: it
// may not when its worker has moved since. What is unsent of it stays until it is sent.
func TestTokensOfAnErasedDeploymentGoThoughTheirRecordsDoNotComeAgain(t *testing.T) {
	w := newWritten(t)
	w.log(recordv1.Kind_KIND_PARTICIPANT, &recordv1.Participant{Token: bytes.Repeat([]byte{8}, 16)})
	w.log(recordv1.Kind_KIND_PARTICIPANT, &recordv1.Participant{Village: proto.String("村西")})
	w.acknowledge(7)
	moved, edited, without := w.records[2], w.records[5], w.records[6]
	w.in(func(tx *Tx, tablet *Tablet) error {
		encoded, err := proto.Marshal(&recordv1.Participant{Village: proto.String("村东")})
		if err != nil {
			return err
		}
		stamp := hlc.Stamp{Time: tablet.Clock(func() time.Time { return start }).Now(), Replica: tablet.Replica}
		c, err := record.Edit(hlc.ID{11}, edited, recordv1.Kind_KIND_PARTICIPANT, stamp, nil, encoded, nil)
		if err != nil {
			return err
		}
		return tx.Append(tablet, c)
	})
	var deployment hlc.ID
	w.in(func(_ *Tx, tablet *Tablet) error {
		deployment = tablet.Deployment
		return nil
	})
	w.hear(wire.JournalDeploymentErased, deployment)
	if w.has(moved) || !w.has(edited) || !w.has(without) {
		t.Errorf("there are %v, %v, %v", w.has(moved), w.has(edited), w.has(without))
	}
	w.acknowledge(8)
	if w.has(edited) || !w.has(without) {
		t.Errorf("once all is sent there are %v, %v", w.has(edited), w.has(without))
	}
}
