package syncproto_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const vectorsFile = "testdata/vectors.json"

// vectors are worked examples of everything that both sides must compute alike, for authors of other clients. Bytes
// are hexadecimal; numbers of 64 bits are decimal strings.
type vectors struct {
	Device    deviceVector      `json:"device"`
	Clock     []clockVector     `json:"clock"`
	IDs       []idVector        `json:"ids"`
	Canonical []canonicalVector `json:"canonical"`
	Messages  []messageVector   `json:"messages"`
	Changes   []changeVector    `json:"changes"`
	Batch     batchVector       `json:"batch"`
	States    []stateVector     `json:"states"`
	Merges    []mergeVector     `json:"merges"`
	Meetings  []meetingVector   `json:"meetings"`
	Deletions []deletionVector  `json:"deletions"`
	Log       []logVector       `json:"log"`
	Proof     proofVector       `json:"proof"`
	Enrolment enrolmentVector   `json:"enrolment_code"`
	Token     tokenVector       `json:"token"`
	Signed    certificateVector `json:"certificate"`
	People    peopleVector      `json:"people"`
	Coding    codingVector      `json:"coding"`
	Page      pageVector        `json:"page"`
}

// codingVector is a message as a frame of levee-1. There are other frames of it that are as good.
type codingVector struct {
	Plain  hexBytes `json:"plain"`
	Packed hexBytes `json:"packed"`
}

// pageVector is an encoded Page, and the same one compact.
type pageVector struct {
	Whole   hexBytes `json:"whole"`
	Compact hexBytes `json:"compact"`
}

type deviceVector struct {
	Seed       hexBytes    `json:"seed"`
	PublicKey  hexBytes    `json:"public_key"`
	Nonce      uint64      `json:"nonce,string"`
	Replica    hlc.Replica `json:"replica,string"`
	Deployment hexBytes    `json:"deployment"`
	Chain      hexBytes    `json:"chain_start"`
}

// peopleVector are tokens of people under a linkage key.
type peopleVector struct {
	LinkageKey hexBytes       `json:"linkage_key"`
	Tokens     []personVector `json:"tokens"`
}

// personVector is what somebody wrote, its one form (Normal, with line breaks) and the token; or the part that is wrong.
type personVector struct {
	Basis      recordv1.TokenBasis `json:"basis"`
	Phone      string              `json:"phone,omitempty"`
	Name       string              `json:"name,omitempty"`
	BirthMonth int32               `json:"birth_month,omitempty"`
	Village    string              `json:"village,omitempty"`
	IDNumber   string              `json:"id_number,omitempty"`
	Normal     string              `json:"normal,omitempty"`
	Token      hexBytes            `json:"token,omitempty"`
	Wrong      record.IdentityPart `json:"wrong,omitempty"`
}

// clockVector is one step of a clock: what it reads, or what it saw, and the time that it makes then.
type clockVector struct {
	WallMillis int64    `json:"wall_ms,string"`
	Observed   hlc.Time `json:"observed,omitempty,string"`
	Now        hlc.Time `json:"now,string"`
}

type idVector struct {
	Time      hlc.Time `json:"time,string"`
	Entropy   hexBytes `json:"entropy"`
	ID        hexBytes `json:"id"`
	Text      string   `json:"text"`
	FirstTime hlc.Time `json:"first_time,string"`
}

type canonicalVector struct {
	Name      string      `json:"name"`
	Kind      record.Kind `json:"kind"`
	Sent      hexBytes    `json:"sent"`
	Canonical hexBytes    `json:"canonical"`
	Code      record.Code `json:"code,omitempty"`
}

type messageVector struct {
	Kind   record.Kind     `json:"kind"`
	Name   string          `json:"message"`
	JSON   json.RawMessage `json:"json"`
	Fields hexBytes        `json:"fields"`
}

type stampVector struct {
	Time    hlc.Time    `json:"time,string"`
	Replica hlc.Replica `json:"replica,string"`
}

type parentVector struct {
	Field protowire.Number `json:"field"`
	stampVector
}

// changeVector is a change of the device, and its chain after it.
type changeVector struct {
	Name         string             `json:"name"`
	ID           hexBytes           `json:"id"`
	Record       hexBytes           `json:"record"`
	Kind         record.Kind        `json:"kind"`
	Stamp        stampVector        `json:"stamp"`
	Fields       hexBytes           `json:"fields"`
	Cleared      []protowire.Number `json:"cleared,omitempty"`
	Parents      []parentVector     `json:"parents,omitempty"`
	DeletionSeen *stampVector       `json:"deletion_seen,omitempty"`
	Seen         hexBytes           `json:"seen,omitempty"`
	Encoded      hexBytes           `json:"encoded"`
	Hash         hexBytes           `json:"hash"`
	Chain        hexBytes           `json:"chain"`
}

type batchVector struct {
	First     uint64   `json:"first,string"`
	Changes   int      `json:"changes"`
	Signed    hexBytes `json:"signed"`
	Signature hexBytes `json:"signature"`
	Encoded   hexBytes `json:"encoded"`
	// Erased is the same batch with the second change's hash in place of its body; its signature is the same.
	Erased hexBytes `json:"encoded_with_second_erased"`
}

type registerVector struct {
	Field  protowire.Number `json:"field"`
	Value  hexBytes         `json:"value"`
	Stamp  stampVector      `json:"stamp"`
	Parent *stampVector     `json:"parent,omitempty"`
}

type stateVector struct {
	Name      string           `json:"name"`
	Registers []registerVector `json:"registers"`
	Encoded   hexBytes         `json:"encoded"`
	Digest    hexBytes         `json:"digest"`
}

// mergeVector is two states of a record and what follows from them; the order does not matter. Here b always wins something.
type mergeVector struct {
	Name   string           `json:"name"`
	A      []registerVector `json:"a"`
	B      []registerVector `json:"b"`
	Merged []registerVector `json:"merged"`
}

type meetingVector struct {
	Name      string         `json:"name"`
	Standing  registerVector `json:"standing"`
	Arriving  registerVector `json:"arriving"`
	Ancestors []stampVector  `json:"ancestors,omitempty"`
	Meeting   string         `json:"meeting"`
}

// deletionVector is a change that meets a record which the changes before it made.
type deletionVector struct {
	Name    string           `json:"name"`
	Record  []registerVector `json:"record"`
	Change  hexBytes         `json:"change"`
	Replica hlc.Replica      `json:"replica,string"`
	Clashes bool             `json:"clashes"`
}

type logVector struct {
	Position uint64      `json:"position,string"`
	Replica  hlc.Replica `json:"replica,string"`
	Sequence uint64      `json:"sequence,string"`
	Hash     hexBytes    `json:"hash,omitempty"`
	Chain    hexBytes    `json:"chain"`
}

type proofVector struct {
	Key   hexBytes    `json:"key"`
	ID    hexBytes    `json:"id"`
	Kind  record.Kind `json:"kind"`
	State hexBytes    `json:"state"`
	Proof hexBytes    `json:"proof"`
}

type enrolmentVector struct {
	ServerURL  string   `json:"server_url"`
	Deployment hexBytes `json:"deployment"`
	Worker     hexBytes `json:"worker"`
	Secret     string   `json:"secret"`
	Message    hexBytes `json:"message"`
	Text       string   `json:"text"`
	Same       []string `json:"same_code"`
	Invalid    []string `json:"invalid"`
	// Pin is of the code's server when it signed its certificate itself; Pinned is the code then.
	Pin    hexBytes `json:"pin"`
	Pinned string   `json:"pinned_text"`
	// Typed and TypedPinned are both codes as typed, beside the server's address.
	Typed        string   `json:"typed"`
	TypedPinned  string   `json:"pinned_typed"`
	SameTyped    []string `json:"same_typed"`
	InvalidTyped []string `json:"invalid_typed"`
}

type tokenVector struct {
	Device       hexBytes `json:"device"`
	Body         hexBytes `json:"body"`
	NowSeconds   int64    `json:"now_seconds,string"`
	Header       string   `json:"header"`
	Claims       string   `json:"claims"`
	SigningInput string   `json:"signing_input"`
	Signature    hexBytes `json:"signature"`
	Token        string   `json:"token"`
}

type certificateVector struct {
	ServerSeed hexBytes `json:"server_seed"`
	ServerKey  hexBytes `json:"server_key"`
	Body       hexBytes `json:"body"`
	Signature  hexBytes `json:"signature"`
}

// hexBytes are bytes that JSON shows in hexadecimal.
type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// TestVectors regenerates the vectors, so that they always say what this code does.
func TestVectors(t *testing.T) {
	b, err := json.MarshalIndent(makeVectors(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	if *update {
		if err := os.WriteFile(vectorsFile, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(was, b) {
		return
	}
	made, kept := strings.Split(string(b), "\n"), strings.Split(string(was), "\n")
	for i := range min(len(made), len(kept)) {
		if made[i] != kept[i] {
			t.Fatalf("%s, line %d: %s, but the code makes %s. What other clients rely on has changed; if that is meant, run with -update", vectorsFile, i+1, kept[i], made[i])
		}
	}
	t.Fatalf("%s has %d lines, the code makes %d", vectorsFile, len(kept), len(made))
}

// The story of the vectors: a tablet logs an activity and a head count, edits the one and deletes, restores and edits
// the other.
var (
	startMillis = time.Date(2021, 9, 23, 1, 0, 0, 0, time.UTC).UnixMilli()
	deployment  = vectorID(1)
	site        = vectorID(2)
	team        = vectorID(3)
	worker      = vectorID(4)
	device      = vectorID(5)
	activity    = vectorID(16)
	headcount   = vectorID(17)
	deviceKey   = ed25519.NewKeyFromSeed(ascendingBytes(0, ed25519.SeedSize))
	serverKey   = ed25519.NewKeyFromSeed(ascendingBytes(100, ed25519.SeedSize))
	publicKey   = deviceKey.Public().(ed25519.PublicKey)
	replica     = hlc.ReplicaOf(publicKey, nonce)
	teamMate    = hlc.ReplicaOf(ed25519.NewKeyFromSeed(ascendingBytes(32, ed25519.SeedSize)).Public().(ed25519.PublicKey), 1)
)

const nonce = 7

func makeVectors(t *testing.T) *vectors {
	changes := story(t)
	v := &vectors{Canonical: canonicalVectors(t), IDs: idVectors(t), Clock: clockVectors(), Enrolment: enrolmentVectors(), Token: tokenVectors(t), Signed: certificateVectors(t), People: peopleVectors(t)}
	start := batch.Start(deployment, replica)
	v.Device = deviceVector{deviceKey.Seed(), hexBytes(publicKey), nonce, replica, deployment[:], start[:]}
	for _, m := range []record.Common{theActivity(), theHeadcount(), theSession()} {
		v.Messages = append(v.Messages, messageVectorOf(t, m))
	}
	chain := start
	var bodies [][]byte
	for _, c := range changes {
		chain = batch.Next(chain, batch.HashOf(c.Encode()))
		v.Changes = append(v.Changes, changeVectorOf(c, chain))
		bodies = append(bodies, c.Encode())
	}
	v.Batch = batchVectors(t, bodies[:3])
	v.Log = logVectors(bodies[:2])
	v.States = stateVectors(changes)
	v.Merges = mergeVectors()
	v.Meetings = meetingVectors()
	v.Deletions = deletionVectors(t, changes)
	v.Proof = proofVectors(v.States[2].Encoded)
	v.Coding = codingVectors(t)
	v.Page = pageVectors(t, changes, v.States[0].Encoded)
	return v
}

func vectorID(n byte) hlc.ID {
	id, err := hlc.NewID(at(int(n)), bytes.NewReader(bytes.Repeat([]byte{n}, 8)))
	if err != nil {
		panic(err)
	}
	return id
}

// at is the time some minutes after the start.
func at(minutes int) hlc.Time { return hlc.OfMillis(startMillis + int64(minutes)*60_000) }

func ascendingBytes(from byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

func theActivity() *recordv1.CommunityActivity {
	return &recordv1.CommunityActivity{
		Site: site[:], Team: team[:], Author: worker[:], OccurredOn: proto.Int32(20210923),
		Place:  &recordv1.Place{Code: proto.String("410621108"), Edition: proto.Int32(2023)},
		Status: recordv1.Status_STATUS_HELD.Enum(), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum(),
		Entry: recordv1.Entry_ENTRY_LIVE.Enum(), Name: proto.String("中秋团圆会"), Form: recordv1.ActivityForm_ACTIVITY_FORM_FESTIVAL.Enum(),
		Minutes: proto.Uint32(90), Partners: []string{"王庄镇政府", "村委会"}, RegisterUsed: proto.Bool(false), FeedbackAsked: proto.Uint32(0), Summary: proto.String("晴"),
	}
}

func theHeadcount() *recordv1.Headcount {
	cell := func(sex recordv1.Sex, band, first, returning uint32) *recordv1.HeadcountCell {
		return &recordv1.HeadcountCell{Sex: &sex, AgeBand: &band, FirstTime: &first, Returning: &returning}
	}
	return &recordv1.Headcount{
		Team: team[:], Author: worker[:], OccurredOn: proto.Int32(20210923), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum(),
		Activity: activity[:], Counter: worker[:], Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(),
		Cells:           []*recordv1.HeadcountCell{cell(recordv1.Sex_SEX_MALE, 4, 12, 3), cell(recordv1.Sex_SEX_FEMALE, 4, 30, 0)},
		DisabilityAsked: proto.Uint32(45), DisabilityYes: proto.Uint32(2),
	}
}

func theSession() *recordv1.CaseSession {
	owner := vectorID(18)
	return &recordv1.CaseSession{
		Team: team[:], Author: worker[:], OccurredOn: proto.Int32(20210924), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum(),
		CoWorkers: [][]byte{site[:], team[:]}, Case: owner[:], Stage: recordv1.CaseStage_CASE_STAGE_ASSESSMENT.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(),
		Minutes: proto.Uint32(50), Attendees: proto.Uint32(1), RiskSeen: recordv1.RiskSeen_RISK_SEEN_UNKNOWN.Enum(),
	}
}

// story is what the device wrote, in order. Its clock was three hours ahead when the third change was made; its stamp was
// corrected, and its id stayed.
func story(t *testing.T) []*record.Change {
	t.Helper()
	seen := map[hlc.ID]record.Registers{}
	var changes []*record.Change
	write := func(id, rec hlc.ID, stamp hlc.Time, m record.Common, cleared ...protowire.Number) {
		c, err := record.Edit(id, rec, record.KindOf(m), hlc.Stamp{Time: stamp, Replica: replica}, seen[rec], canonicalFields(t, m), cleared)
		if err != nil || c == nil {
			t.Fatalf("no change: %v", err)
		}
		seen[rec] = record.Merge(seen[rec], c.Registers())
		changes = append(changes, c)
	}
	write(activity, activity, at(16), theActivity())
	write(headcount, headcount, at(17)+1, theHeadcount())
	write(vectorID(200), activity, at(20), &recordv1.CommunityActivity{Minutes: proto.Uint32(120), Name: proto.String("中秋团圆会")}, 24)
	write(vectorID(21), headcount, at(21), &recordv1.Headcount{Deleted: proto.Bool(true)})
	write(vectorID(22), headcount, at(22), &recordv1.Headcount{Deleted: proto.Bool(false)})
	write(vectorID(23), headcount, at(23), &recordv1.Headcount{DisabilityYes: proto.Uint32(3)})
	return changes
}

func canonicalFields(t *testing.T, m record.Common) []byte {
	t.Helper()
	encoded, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := record.Canonical(record.KindOf(m), encoded)
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

func clockVectors() []clockVector {
	steps := []clockVector{
		{WallMillis: startMillis}, {WallMillis: startMillis}, {WallMillis: startMillis - 60_000}, {WallMillis: startMillis + 1},
		{WallMillis: startMillis + 2, Observed: at(3) + 5}, {WallMillis: startMillis + 4*60_000},
	}
	var wall int64
	clock := hlc.NewClock(func() time.Time { return time.UnixMilli(wall) }, 0)
	for i := range steps {
		wall = steps[i].WallMillis
		if steps[i].Observed != 0 {
			clock.Observe(steps[i].Observed)
		}
		steps[i].Now = clock.Now()
	}
	return steps
}

func idVectors(t *testing.T) []idVector {
	t.Helper()
	var ids []idVector
	for _, v := range []idVector{
		{Time: at(0), Entropy: make([]byte, 8)},
		{Time: at(0) + 0xfabc, Entropy: bytes.Repeat([]byte{0xff}, 8)},
		{Time: at(16), Entropy: bytes.Repeat([]byte{16}, 8)},
	} {
		id, err := hlc.NewID(v.Time, bytes.NewReader(v.Entropy))
		if err != nil {
			t.Fatal(err)
		}
		v.ID, v.Text, v.FirstTime = id[:], id.String(), hlc.IDTime(id)
		ids = append(ids, v)
	}
	return ids
}

func canonicalVectors(t *testing.T) []canonicalVector {
	t.Helper()
	const (
		session   = recordv1.Kind_KIND_CASE_SESSION
		counting  = recordv1.Kind_KIND_HEADCOUNT
		caseKind  = recordv1.Kind_KIND_CASE
		unknown   = record.Kind(9999)
		fiveBytes = "ffffffff0f" // a varint of 32 ones
	)
	var all []canonicalVector
	for _, v := range []struct {
		name string
		kind record.Kind
		sent string
	}{
		{"fields ascend by number", session, "a00132" + "2005"},
		{"varints are shortest", session, "20858000"},
		{"tags are shortest", session, "a0800005"},
		{"lengths are shortest", session, "0a810007"},
		{"a single value stands once, the last one sent", session, "2005" + "2006"},
		{"zero is a value", session, "2000"},
		{"an empty text is a value", counting, "920100"},
		{"true is 1", session, "787f"},
		{"a negative int32 has ten bytes", session, "20" + fiveBytes},
		{"bits beyond the width are dropped", session, "a001" + "ffffffff1f"},
		{"the parts of a message field are joined", session, "2a021005" + "2001" + "2a030a0134"},
		{"an empty message field is a value", session, "2a00"},
		{"each message of a list is canonical, their order stays", counting, "a20104" + "10020801" + "a20102" + "0800"},
		{"lists of numbers are packed, their order stays", caseKind, "c80103" + "ca0103028100" + "c80109"},
		{"an empty list of numbers is left out", caseKind, "ca0100"},
		{"the order of a list of ids stays", session, "420102" + "2001" + "4200" + "420101"},
		{"fields that the kind does not have are kept as sent, ordered by number", session, "c83e8100" + "c03e01" + "2005" + "c83e00"},
		{"so are those within a message field", session, "2a05" + "488100" + "1005"},
		{"and all fields of an unknown kind", unknown, "488100" + "2005" + "2006"},
		{"cut short", session, "2a05" + "10"},
		{"field number 0", session, "0005"},
		{"a group", session, "4b4c"},
		{"a number where the kind has bytes", session, "0805"},
		{"not UTF-8", counting, "920101ff"},
	} {
		sent, err := hex.DecodeString(v.sent)
		if err != nil {
			t.Fatal(err)
		}
		canonical, err := record.Canonical(v.kind, sent)
		one := canonicalVector{Name: v.name, Kind: v.kind, Sent: sent, Canonical: canonical}
		var p *record.Problem
		if errors.As(err, &p) {
			one.Code = p.Code
		}
		all = append(all, one)
	}
	return all
}

func messageVectorOf(t *testing.T, m record.Common) messageVector {
	t.Helper()
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return messageVector{record.KindOf(m), string(m.ProtoReflect().Descriptor().Name()), text, canonicalFields(t, m)}
}

func changeVectorOf(c *record.Change, chain batch.Hash) changeVector {
	encoded := c.Encode()
	hash := batch.HashOf(encoded)
	v := changeVector{
		ID: c.ID[:], Record: c.Record[:], Kind: c.Kind, Stamp: stampVector(c.Stamp), Fields: c.Fields, Cleared: c.Cleared, Seen: c.Seen,
		Encoded: encoded, Hash: hash[:], Chain: chain[:], DeletionSeen: orNone(c.DeletionSeen), Name: "edits",
	}
	switch deletion := c.Registers().Get(record.DeletedField); {
	case c.Makes():
		v.Name = "makes"
	case len(c.Seen) > 0:
		v.Name = "deletes"
	case deletion.Field != 0:
		v.Name = "restores"
	}
	for _, r := range c.Registers() {
		if !r.Parent.IsZero() {
			v.Parents = append(v.Parents, parentVector{r.Field, stampVector(r.Parent)})
		}
	}
	return v
}

func orNone(s hlc.Stamp) *stampVector {
	if s.IsZero() {
		return nil
	}
	v := stampVector(s)
	return &v
}

// batchVectors writes out by hand what is signed, and checks that the batch is signed over it.
func batchVectors(t *testing.T, bodies [][]byte) batchVector {
	t.Helper()
	start := batch.Start(deployment, replica)
	sealed := batch.Seal(deviceKey, deployment, replica, nonce, 1, start, bodies)
	signed := slices.Concat([]byte("levee batch v1"), deployment[:], uint64s(uint64(replica), 1, uint64(len(bodies))), start[:])
	for _, b := range bodies {
		hash := sha256.Sum256(b)
		signed = append(signed, hash[:]...)
	}
	if !ed25519.Verify(publicKey, signed, sealed.GetSignature()) {
		t.Fatal("the batch is not signed over what the README says")
	}
	v := batchVector{First: 1, Changes: len(bodies), Signed: signed, Signature: sealed.GetSignature(), Encoded: marshal(t, sealed)}
	hash := batch.HashOf(bodies[1])
	sealed.Entries[1] = &syncv1.Entry{Hash: hash[:]}
	v.Erased = marshal(t, sealed)
	return v
}

func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func uint64s(numbers ...uint64) []byte {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func registerVectorsOf(rs record.Registers) []registerVector {
	all := make([]registerVector, len(rs))
	for i, r := range rs {
		all[i] = registerVector{r.Field, r.Value, stampVector(r.Stamp), orNone(r.Parent)}
	}
	return all
}

func (v registerVector) register() record.Register {
	r := record.Register{Field: v.Field, Value: v.Value, Stamp: hlc.Stamp(v.Stamp)}
	if v.Parent != nil {
		r.Parent = hlc.Stamp(*v.Parent)
	}
	return r
}

func registersOf(vs []registerVector) record.Registers {
	rs := make(record.Registers, len(vs))
	for i, v := range vs {
		rs[i] = v.register()
	}
	return rs
}

// reg is a register of the field minutes of an activity, or of another one by its number; n is the value, or none.
func reg(field protowire.Number, n int, stamp, parent hlc.Stamp) record.Register {
	r := record.Register{Field: field, Stamp: stamp, Parent: parent}
	if n >= 0 {
		r.Value = protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), uint64(n))
	}
	return r
}

const minutesField protowire.Number = 18

func stamp(minutes int, by hlc.Replica) hlc.Stamp { return hlc.Stamp{Time: at(minutes), Replica: by} }

func stateVectors(changes []*record.Change) []stateVector {
	made := changes[0].Registers()
	edited := record.Merge(made, changes[2].Registers())
	mate := record.Registers{reg(minutesField, 60, stamp(30, teamMate), stamp(16, replica))}
	mixed := record.Registers{
		reg(4, 20210923, stamp(1, replica), hlc.Stamp{}),
		reg(6, 2, stamp(3, replica), stamp(1, replica)),
		reg(7, 2, stamp(3, replica), stamp(2, teamMate)),
		reg(minutesField, 90, stamp(3, replica), stamp(2, teamMate)),
		reg(22, -1, stamp(3, replica), stamp(2, teamMate)),
		reg(1000, 5, stamp(2, teamMate), hlc.Stamp{}),
	}
	var all []stateVector
	for _, s := range []struct {
		name      string
		registers record.Registers
	}{
		{"small: two stampings of two fields each, one field emptied", record.Registers{
			reg(6, 2, stamp(1, replica), hlc.Stamp{}), reg(7, 3, stamp(1, replica), hlc.Stamp{}),
			reg(minutesField, 90, stamp(2, teamMate), stamp(1, replica)), reg(22, -1, stamp(2, teamMate), stamp(1, replica)),
		}},
		{"made by one change", made},
		{"edited by its author: one field set, one emptied", edited},
		{"and by a team mate who had not seen that", record.Merge(edited, mate)},
		{"the stamping with the most fields goes first; an unknown field", mixed},
		{"all fields emptied", record.Registers{reg(4, -1, stamp(1, replica), hlc.Stamp{}), reg(6, -1, stamp(2, replica), hlc.Stamp{})}},
		{"nothing", nil},
	} {
		all = append(all, stateVector{s.name, registerVectorsOf(s.registers), record.EncodeState(s.registers), s.registers.Digest()})
	}
	return all
}

func mergeVectors() []mergeVector {
	one, other := replica, teamMate
	if one > other {
		one, other = other, one
	}
	minutes := func(n int, stamp, parent hlc.Stamp) record.Registers {
		return record.Registers{reg(minutesField, n, stamp, parent)}
	}
	text := func(s string) record.Registers {
		return record.Registers{{Field: 16, Value: protowire.AppendString(protowire.AppendTag(nil, 16, protowire.BytesType), s), Stamp: stamp(1, one)}}
	}
	none := hlc.Stamp{}
	var all []mergeVector
	for _, m := range []struct {
		name string
		a, b record.Registers
	}{
		{"the later time wins", minutes(90, stamp(1, other), none), minutes(60, stamp(2, one), none)},
		{"of one time, the higher replica number", minutes(90, stamp(1, one), none), minutes(60, stamp(1, other), none)},
		{"an emptied field is a value like any other", minutes(90, stamp(1, one), none), minutes(-1, stamp(2, one), none)},
		{"of one stamp, the greater bytes", minutes(60, stamp(1, one), none), minutes(90, stamp(1, one), none)},
		{"of one stamp, emptied is least", minutes(-1, stamp(1, one), none), minutes(0, stamp(1, one), none)},
		{"bytes compare as numbers without sign, the length prefix among them", text("z"), text("ab")},
		{"of one stamp and value, the greater parent", minutes(90, stamp(3, one), stamp(1, other)), minutes(90, stamp(3, one), stamp(2, one))},
		{"fields are merged each by itself, known or not", record.Registers{reg(4, 20210923, stamp(1, one), none), reg(minutesField, 90, stamp(1, one), none), reg(1000, 1, stamp(1, one), none)},
			record.Registers{reg(6, 2, stamp(2, other), none), reg(minutesField, 60, stamp(2, other), stamp(1, one)), reg(1000, 2, stamp(1, other), none)}},
	} {
		all = append(all, mergeVector{m.name, registerVectorsOf(m.a), registerVectorsOf(m.b), registerVectorsOf(record.Merge(m.a, m.b))})
	}
	return all
}

var meetings = map[record.Meeting]string{record.Succeeds: "succeeds", record.Late: "late", record.Clashes: "clashes"}

func meetingVectors() []meetingVector {
	first, mine, theirs := stamp(1, replica), stamp(2, replica), stamp(3, teamMate)
	none := hlc.Stamp{}
	var all []meetingVector
	for _, m := range []struct {
		name               string
		standing, arriving record.Register
		ancestors          []hlc.Stamp
	}{
		{"nothing stands there", record.Register{}, reg(minutesField, 90, first, none), nil},
		{"its author had seen what stands", reg(minutesField, 90, first, none), reg(minutesField, 60, theirs, first), nil},
		{"the values are the same", reg(minutesField, 60, mine, first), reg(minutesField, 60, theirs, first), nil},
		{"neither had seen the other", reg(minutesField, 90, mine, first), reg(minutesField, 60, theirs, first), nil},
		{"nor here, though what arrives loses", reg(minutesField, 60, theirs, first), reg(minutesField, 90, mine, first), nil},
		{"what stands names it as parent", reg(minutesField, 60, theirs, mine), reg(minutesField, 90, mine, first), nil},
		{"an ancestor of what stands", reg(minutesField, 60, theirs, mine), reg(minutesField, 90, first, none), []hlc.Stamp{mine, first}},
		{"not an ancestor of what stands", reg(minutesField, 60, theirs, mine), reg(minutesField, 80, first, none), []hlc.Stamp{mine}},
	} {
		v := meetingVector{Name: m.name, Standing: registerVectorsOf(record.Registers{m.standing})[0], Arriving: registerVectorsOf(record.Registers{m.arriving})[0]}
		for _, s := range m.ancestors {
			v.Ancestors = append(v.Ancestors, stampVector(s))
		}
		v.Meeting = meetings[record.Meet(m.standing, m.arriving, func(s hlc.Stamp) bool { return slices.Contains(m.ancestors, s) })]
		all = append(all, v)
	}
	return all
}

func deletionVectors(t *testing.T, changes []*record.Change) []deletionVector {
	t.Helper()
	made := changes[1].Registers()
	deleted := record.Merge(made, changes[3].Registers())
	restored := record.Merge(deleted, changes[4].Registers())
	edited := record.Merge(made, record.Registers{reg(25, 1, stamp(19, teamMate), hlc.Stamp{})})
	edit := func(seen record.Registers, m *recordv1.Headcount) *record.Change {
		c, err := record.Edit(vectorID(40), headcount, recordv1.Kind_KIND_HEADCOUNT, stamp(40, teamMate), seen, canonicalFields(t, m), nil)
		if err != nil || c == nil {
			t.Fatalf("no change: %v", err)
		}
		return c
	}
	remove, restore := &recordv1.Headcount{Deleted: proto.Bool(true)}, &recordv1.Headcount{Deleted: proto.Bool(false)}
	zone := &recordv1.Headcount{Zone: proto.String("东院")}
	var all []deletionVector
	for _, d := range []struct {
		name     string
		standing record.Registers
		change   *record.Change
	}{
		{"a delete by someone who had seen everything", made, edit(made, remove)},
		{"a delete by someone who had not seen an edit", edited, edit(made, remove)},
		{"an edit by someone who did not know of the delete", deleted, edit(made, zone)},
		{"an edit by someone who did", deleted, edit(deleted, zone)},
		{"an edit after the restore", restored, edit(restored, zone)},
		{"an edit by someone who did not know of delete and restore", restored, edit(made, zone)},
		{"a restore", deleted, edit(deleted, restore)},
	} {
		all = append(all, deletionVector{d.name, registerVectorsOf(d.standing), d.change.Encode(), teamMate, record.DeletionClashes(d.standing, d.change)})
	}
	return all
}

// logVectors are a log of two changes and a record that others may see from then on.
func logVectors(bodies [][]byte) []logVector {
	chain := batch.LogStart(deployment)
	log := []logVector{{Chain: slices.Clone(chain[:])}}
	add := func(replica hlc.Replica, sequence uint64, hash batch.Hash) {
		position := uint64(len(log))
		chain = batch.NextLog(chain, position, replica, sequence, hash)
		log = append(log, logVector{position, replica, sequence, hash[:], slices.Clone(chain[:])})
	}
	for i, b := range bodies {
		add(replica, uint64(i)+1, batch.HashOf(b))
	}
	add(0, 0, batch.HashOf(activity[:]))
	return log
}

func proofVectors(state []byte) proofVector {
	key := ascendingBytes(200, 32)
	mac := hmac.New(sha256.New, key)
	mac.Write(slices.Concat(deployment[:], activity[:], binary.BigEndian.AppendUint32(nil, uint32(recordv1.Kind_KIND_COMMUNITY_ACTIVITY)), state))
	return proofVector{key, activity[:], recordv1.Kind_KIND_COMMUNITY_ACTIVITY, state, mac.Sum(nil)[:8]}
}

func codingVectors(t *testing.T) codingVector {
	t.Helper()
	plain := marshal(t, theActivity())
	var packed bytes.Buffer
	c := wire.NewLevee1Compressor()
	c.Reset(&packed)
	_, err := c.Write(plain)
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
	return codingVector{plain, packed.Bytes()}
}

// pageVectors are a page with two records as they were made, one after the other, and one that was edited.
func pageVectors(t *testing.T, changes []*record.Change, edited []byte) pageVector {
	t.Helper()
	page := &syncv1.Page{}
	for i, c := range changes[:2] {
		page.Records = append(page.Records, &syncv1.PulledRecord{Id: c.Record[:], Kind: uint32(c.Kind), Position: 7 + uint64(i), State: record.EncodeState(c.Registers()), Proof: ascendingBytes(byte(i), 8)})
	}
	page.Records = append(page.Records, &syncv1.PulledRecord{Id: device[:], Kind: uint32(recordv1.Kind_KIND_HEADCOUNT), Position: 12, State: edited, Proof: ascendingBytes(2, 8)})
	v := pageVector{Whole: marshal(t, page)}
	wire.Compact(page)
	v.Compact = marshal(t, page)
	return v
}

func enrolmentVectors() enrolmentVector {
	code := wire.EnrolmentCode{ServerURL: "https://levee.example/", Deployment: deployment, Worker: worker, Secret: "ABCDEFGHJKMNPQRSTVWX"}
	text := code.String()
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, "levee1."))
	if err != nil {
		panic(err)
	}
	pinned := code
	pinned.Pin = wire.PinOf([]byte("a public key"))
	typed := code.Typed()
	return enrolmentVector{
		Pin: []byte(pinned.Pin), Pinned: pinned.String(), Typed: typed, TypedPinned: pinned.Typed(),
		SameTyped:    []string{strings.ToLower(typed), strings.ReplaceAll(typed, "-", ""), " " + strings.ReplaceAll(typed, "-", " ") + "\n"},
		InvalidTyped: []string{"", typed[1:], "B" + typed[1:], typed[:len(typed)-1] + "0", typed + "A"},
		ServerURL:    code.ServerURL, Deployment: deployment[:], Worker: worker[:], Secret: code.Secret, Message: raw[:len(raw)-4], Text: text,
		Same:    []string{" " + text[:20] + "\r\n" + text[20:50] + "\t\u200b" + text[50:] + "\n"},
		Invalid: []string{"", "levee1.", text[:len(text)-1], strings.Replace(text, "A", "B", 1), strings.TrimPrefix(text, "levee1."), strings.ToUpper(text), text + "="},
	}
}

func tokenVectors(t *testing.T) tokenVector {
	t.Helper()
	v := tokenVector{Device: device[:], Body: []byte("the body as it goes over the wire"), NowSeconds: startMillis / 1000}
	var err error
	if v.Token, err = wire.SignToken(deviceKey, deployment, device, v.Body, time.Unix(v.NowSeconds, 0)); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(v.Token, ".")
	decoded := make([][]byte, len(parts))
	for i, p := range parts {
		if decoded[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			t.Fatal(err)
		}
	}
	v.Header, v.Claims, v.Signature = string(decoded[0]), string(decoded[1]), decoded[2]
	v.SigningInput = parts[0] + "." + parts[1]
	return v
}

func certificateVectors(t *testing.T) certificateVector {
	t.Helper()
	c, err := wire.SealCertificate(serverKey, &syncv1.CertificateBody{
		Deployment: deployment[:], Device: device[:], PublicKey: publicKey, Worker: worker[:], Team: team[:],
		Role: uint32(recordv1.Role_ROLE_FIELD_WORKER), NotBefore: startMillis, NotAfter: startMillis + 30*24*time.Hour.Milliseconds(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return certificateVector{serverKey.Seed(), hexBytes(serverKey.Public().(ed25519.PublicKey)), c.GetBody(), c.GetSignature()}
}

func peopleVectors(t *testing.T) peopleVector {
	t.Helper()
	v := peopleVector{LinkageKey: ascendingBytes(1, record.LinkageKeyBytes)}
	phone := func(written string) personVector {
		return personVector{Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE, Phone: written}
	}
	name := func(name string, month int32, village string) personVector {
		return personVector{Basis: recordv1.TokenBasis_TOKEN_BASIS_NAME_BIRTH_MONTH_VILLAGE, Name: name, BirthMonth: month, Village: village}
	}
	number := func(written string) personVector {
		return personVector{Basis: recordv1.TokenBasis_TOKEN_BASIS_ID_NUMBER, IDNumber: written}
	}
	for _, p := range []personVector{
		phone("13800138000"), phone("＋86（138）0013-8000"), phone("013800138000"), phone("+86 392 551 2345"), phone("+852 5123 4567"), phone("1380013800"), phone("13800138000转3"), phone("0000000"),
		name("王 秀英", 195803, "王庄村民委员会"), name("阿卜杜拉·买买提", 199912, "村"), name("Anne Weiß", 200001, "４１０６２１１０８２０３"), name("王秀英", 195813, "王庄"), name("·", 195803, "王庄"),
		name("王秀英", 195803, " "),
		number("11010519491231002x"), number("110105491231002"), number("440524 18800101 001４"), number("110105194912310021"), number("E12345678"),
		{Phone: "13800138000"},
	} {
		i := record.Identity{Basis: p.Basis, Phone: p.Phone, Name: p.Name, BirthMonth: p.BirthMonth, Village: p.Village, IDNumber: p.IDNumber}
		token, err := record.Token(v.LinkageKey, i)
		var wrong *record.IdentityError
		switch {
		case errors.As(err, &wrong):
			p.Wrong = wrong.Part
		case err != nil:
			t.Fatal(err)
		default:
			p.Token = token[:]
			if p.Normal, err = i.Normal(); err != nil {
				t.Fatal(err)
			}
		}
		v.Tokens = append(v.Tokens, p)
	}
	return v
}

func readVectors(t *testing.T) *vectors {
	t.Helper()
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return &v
}

// What was written is read back by the side that receives it.
func TestVectorsAreUnderstood(t *testing.T) {
	v := readVectors(t)
	key := ed25519.PublicKey(v.Device.PublicKey)

	for i, want := range story(t) {
		got, err := record.DecodeChange(v.Changes[i].Encoded, v.Device.Replica)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got.Registers(), want.Registers(), sameRegister) || got.ID != want.ID || got.Record != want.Record ||
			got.Stamp != want.Stamp || got.DeletionSeen != want.DeletionSeen || !bytes.Equal(got.Seen, want.Seen) {
			t.Errorf("change %d is read as %+v", i+1, got)
		}
	}
	for _, encoded := range [][]byte{v.Batch.Encoded, v.Batch.Erased} {
		var b syncv1.Batch
		if err := proto.Unmarshal(encoded, &b); err != nil {
			t.Fatal(err)
		}
		hashes, err := batch.Open(key, hlc.ID(v.Device.Deployment), &b)
		if err != nil || len(hashes) != v.Batch.Changes {
			t.Errorf("batch: %d hashes, %v", len(hashes), err)
		}
	}
	for _, s := range v.States {
		got, err := record.DecodeState(s.Encoded)
		if err != nil || !slices.EqualFunc(got, registersOf(s.Registers), sameRegister) {
			t.Errorf("state %q is read as %v, %v", s.Name, got, err)
		}
	}
	for _, m := range v.Merges {
		a, b, merged := registersOf(m.A), registersOf(m.B), registersOf(m.Merged)
		if !slices.EqualFunc(record.Merge(b, a), merged, sameRegister) || slices.EqualFunc(merged, a, sameRegister) {
			t.Errorf("merge %q: the order matters, or b wins nothing", m.Name)
		}
	}
	for _, c := range v.Canonical {
		if c.Code != "" {
			continue
		}
		again, err := record.Canonical(c.Kind, c.Canonical)
		if err != nil || !bytes.Equal(again, c.Canonical) {
			t.Errorf("%s: canonical of canonical is %x, %v", c.Name, again, err)
		}
	}
	understandsCredentials(t, v)
	if got, err := wire.Decompress(wire.Levee1, v.Coding.Packed); err != nil || !bytes.Equal(got, v.Coding.Plain) || len(v.Coding.Packed) >= len(got) {
		t.Errorf("the frame is read as %x, %v", got, err)
	}
	var page syncv1.Page
	if err := proto.Unmarshal(v.Page.Compact, &page); err != nil {
		t.Fatal(err)
	}
	if wire.Expand(&page); !bytes.Equal(marshal(t, &page), v.Page.Whole) {
		t.Errorf("the compact page is read as %v", &page)
	}
}

func understandsCredentials(t *testing.T, v *vectors) {
	t.Helper()
	for _, text := range append(v.Enrolment.Same, v.Enrolment.Text) {
		got, err := wire.ParseEnrolmentCode(text)
		if err != nil || got.String() != v.Enrolment.Text {
			t.Errorf("enrolment code %q is read as %+v, %v", text, got, err)
		}
	}
	for _, text := range v.Enrolment.Invalid {
		if got, err := wire.ParseEnrolmentCode(text); err == nil {
			t.Errorf("enrolment code %q is read as %+v", text, got)
		}
	}
	if got, err := wire.ParseEnrolmentCode(v.Enrolment.Pinned); err != nil || got.String() != v.Enrolment.Pinned || got.Pin != wire.Pin(v.Enrolment.Pin) {
		t.Errorf("enrolment code %q is read as %+v, %v", v.Enrolment.Pinned, got, err)
	}
	if got, err := wire.ParseTyped(v.Enrolment.ServerURL, v.Enrolment.TypedPinned); err != nil || got.Pin != wire.Pin(v.Enrolment.Pin[:16]) || got.Secret != v.Enrolment.Secret {
		t.Errorf("typed code %q is read as %+v, %v", v.Enrolment.TypedPinned, got, err)
	}
	for _, typed := range append(v.Enrolment.SameTyped, v.Enrolment.Typed) {
		if got, err := wire.ParseTyped(v.Enrolment.ServerURL, typed); err != nil || got.Secret != v.Enrolment.Secret || got.Typed() != v.Enrolment.Typed {
			t.Errorf("typed code %q is read as %+v, %v", typed, got, err)
		}
	}
	for _, typed := range v.Enrolment.InvalidTyped {
		if got, err := wire.ParseTyped(v.Enrolment.ServerURL, typed); err == nil {
			t.Errorf("typed code %q is read as %+v", typed, got)
		}
	}
	key, now := ed25519.PublicKey(v.Device.PublicKey), time.Unix(v.Token.NowSeconds, 0)
	expires, err := wire.VerifyToken(v.Token.Token, key, deployment, device, v.Token.Body)
	if err != nil || expires.Sub(now) != 10*time.Minute {
		t.Errorf("token expires at %v, %v", expires, err)
	}
	if !ed25519.Verify(key, []byte(v.Token.SigningInput), v.Token.Signature) {
		t.Error("token is not signed over its signing input")
	}
	body, err := wire.OpenCertificate(ed25519.PublicKey(v.Signed.ServerKey), &syncv1.Certificate{Body: v.Signed.Body, Signature: v.Signed.Signature})
	if err != nil || !bytes.Equal(body.GetPublicKey(), v.Device.PublicKey) {
		t.Errorf("certificate: %v, %v", body, err)
	}
}

func sameRegister(a, b record.Register) bool {
	return a.Field == b.Field && bytes.Equal(a.Value, b.Value) && a.Stamp == b.Stamp && a.Parent == b.Parent
}
