package syncing_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// linkageKey is the key as a tablet has pulled it; nil when there is none.
func linkageKey(v *servertest.Device) []byte {
	v.Pull()
	key, _ := record.CutBytes(v.Seen[v.ID].Get(record.LinkageKeyField).Value)
	return key
}

func TestTabletsGetTheLinkageKey(t *testing.T) {
	d := servertest.New(t)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	key := linkageKey(anna)
	if len(key) != record.LinkageKeyBytes || !bytes.Equal(key, linkageKey(carl)) {
		t.Fatalf("anna has the key %x", key)
	}
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], changeOf(d.ID, &recordv1.Deployment{Name: proto.String("renamed")})); err != nil {
		t.Fatal(err)
	}
	d.SetBack(d.Copy()) // which closes and opens
	if !bytes.Equal(linkageKey(anna), key) || d.Service.SetUp().Deployment.GetName() != "renamed" {
		t.Errorf("after an edit and a new start: %x", linkageKey(anna))
	}
	if got := d.Service.SetUp().Deployment.GetLinkageKey(); got != nil {
		t.Errorf("whatever shows the set-up has the key %x", got)
	}
}

// A deployment that an older server made gets its key when a newer one starts. One that was emptied stays without.
func TestOlderDeploymentsGetALinkageKeyOnce(t *testing.T) {
	d := servertest.New(t)
	d.ID = d.NewID()
	d.Close()
	d.Open()
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], changeOf(d.ID, &recordv1.Deployment{Name: proto.String("older"), StartOn: proto.Int32(20210923), TimeZone: proto.String("UTC")}),
		changeOf(d.Workers["anna"], &recordv1.Worker{Name: proto.String("anna"), Role: recordv1.Role_ROLE_FIELD_WORKER.Enum()})); err != nil {
		t.Fatal(err)
	}
	anna := d.Enrol("anna")
	if key := linkageKey(anna); key != nil {
		t.Fatalf("it has a key already: %x", key)
	}
	d.SetBack(d.Copy())
	key := linkageKey(anna)
	d.SetBack(d.Copy())
	if again := linkageKey(anna); len(key) != record.LinkageKeyBytes || !bytes.Equal(key, again) {
		t.Fatalf("it has the key %x, and later %x", key, again)
	}
	if err := d.Service.EmptyLinkageKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.SetBack(d.Copy())
	if key := linkageKey(anna); key != nil {
		t.Errorf("once destroyed, it was made again: %x", key)
	}
}

// Whoever counts the same people has the same key, of which nobody else is told more than that.
func TestDeploymentsShareALinkageKey(t *testing.T) {
	d := servertest.New(t)
	same, apart := d.Another(true, "410621105", "410621106"), d.Another(false, "410702001", "410702002")
	if key := d.LinkageKey(); !bytes.Equal(key, same.LinkageKey()) || bytes.Equal(key, apart.LinkageKey()) {
		t.Error("only the linked one has the key")
	}
	if got := same.Service.SetUp().Deployment.GetLinkageKey(); got != nil {
		t.Error("whatever shows the set-up has the key")
	}
	linked := func() (ids [][]hlc.ID) {
		divided, err := syncing.Linked(t.Context(), []*syncing.Service{d.Service, apart.Service, same.Service})
		if err != nil {
			t.Fatal(err)
		}
		for _, division := range divided {
			ids = append(ids, nil)
			for _, s := range division {
				ids[len(ids)-1] = append(ids[len(ids)-1], s.Deployment())
			}
		}
		return ids
	}
	if got, want := linked(), [][]hlc.ID{{d.ID, same.ID}, {apart.ID}}; !reflect.DeepEqual(got, want) {
		t.Errorf("linked are %v, want %v", got, want)
	}
	if err := errors.Join(d.Service.EmptyLinkageKey(t.Context()), apart.Service.EmptyLinkageKey(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got, want := linked(), [][]hlc.ID{{d.ID}, {apart.ID}, {same.ID}}; !reflect.DeepEqual(got, want) {
		t.Errorf("once two have no key, linked are %v, want %v", got, want)
	}
	message := []syncing.SetUpRecord{{ID: d.NewID(), Message: &recordv1.Deployment{}}}
	if err := same.Service.AddLinked(t.Context(), message, d.Service); problem.CodeOf(err) != problem.InvalidArgument {
		t.Errorf("a key that was destroyed is shared: %v", err)
	}
}

// Not even a coordinator sets, empties or gives back another key.
func TestNobodySetsTheLinkageKey(t *testing.T) {
	d := servertest.New(t)
	coordinator := d.Enrol("coordinator")
	key := linkageKey(coordinator)
	other := bytes.Repeat([]byte{9}, record.LinkageKeyBytes)
	d.Pass(time.Minute)
	set := coordinator.Edit(d.ID, &recordv1.Deployment{Name: proto.String("renamed"), LinkageKey: other})
	emptied := coordinator.Edit(d.ID, &recordv1.Deployment{}, record.LinkageKeyField)
	made := coordinator.Make(&recordv1.Deployment{LinkageKey: other})
	if codes := held(coordinator.Push(set, emptied, made)); len(codes) != 3 || codes[1] != "not_allowed" || codes[2] != "not_allowed" || codes[3] != "not_allowed" {
		t.Errorf("pushed: %v", codes)
	}
	if err := d.Service.Decide(t.Context(), set.ID, recordv1.Decision_DECISION_RELEASE, d.Workers["coordinator"], ""); problem.CodeOf(err) != problem.InvalidArgument {
		t.Errorf("released: %v", err)
	}
	for name, c := range map[string]syncing.SetUpChange{
		"set":     changeOf(d.ID, &recordv1.Deployment{LinkageKey: other}),
		"emptied": changeOf(d.ID, &recordv1.Deployment{}, record.LinkageKeyField),
	} {
		if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], c); problem.CodeOf(err) != problem.InvalidArgument {
			t.Errorf("%s on the web: %v", name, err)
		}
	}

	state := record.Merge(coordinator.Seen[d.ID], record.Registers{{Field: record.LinkageKeyField,
		Value: protowire.AppendBytes(protowire.AppendTag(nil, record.LinkageKeyField, protowire.BytesType), other), Stamp: coordinator.Stamp()}})
	r := coordinator.Request(coordinator.BatchOf())
	r.GiveBack = []*syncv1.GivenRecord{{Id: d.ID[:], Kind: uint32(recordv1.Kind_KIND_DEPLOYMENT), State: record.EncodeState(state)}}
	answer, err := d.Service.Sync(t.Context(), coordinator.Device, coordinator.Arrival(), r)
	if err != nil || len(answer.GetGiven()) != 1 || answer.GetGiven()[0].GetCode() != "not_allowed" {
		t.Errorf("given back: %v, %v", answer.GetGiven(), err)
	}
	if fresh := d.Enrol("anna"); !bytes.Equal(linkageKey(fresh), key) {
		t.Errorf("the key is now %x", linkageKey(fresh))
	}
}
