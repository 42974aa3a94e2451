package certificate_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))

func henan() *certificate.Certificate {
	at := time.Date(2021, 12, 8, 9, 30, 0, 0, time.UTC)
	return &certificate.Certificate{
		Deployment:   certificate.Deployment{ID: hlc.ID{1}, Name: "河南特大暴雨社会工作服务", StartOn: "2021-09-23", EndOn: "2021-12-06", TimeZone: "Asia/Shanghai"},
		Edition:      2,
		Issued:       certificate.Issued{At: at, Worker: hlc.ID{2}, Name: "周协调"},
		Log:          certificate.Log{Position: 519, Chain: strings.Repeat("ab", 32), Records: 300, Changes: 510},
		Completeness: certificate.Completeness{Devices: 12, HeardFrom: 11, WithBacklog: 1, Outstanding: 7},
		Checks:       []certificate.Check{{Check: "unheard", Open: 1, Waived: 1}},
		Waivers:      []certificate.Waiver{{Check: "unheard", Subject: hlc.ID{4}, Name: "平板三", Reason: "在洪水中丢失 <已报>", By: "周协调", At: at}},
		Previous:     &certificate.Previous{Edition: 1, SHA256: strings.Repeat("0", 64)},
		Addenda:      []certificate.Addendum{{Device: hlc.ID{4}, Name: "平板三", Received: at, Accepted: 7, Reasons: []string{"已核对"}}},
		Differences:  []certificate.Difference{{Line: certificate.Line{Basis: "reported", Figure: "cases", By: "all"}, Before: 9, After: 10}},
		Totals: []certificate.Total{
			{Line: certificate.Line{Basis: "reported", Figure: "cases", By: "all"}, Value: 10},
			{Line: certificate.Line{Basis: "reported", Figure: "persons", By: "place", Key: "410621", Name: "浚县"}, Value: 4130},
		},
		Replicas: []certificate.Replica{{Replica: 5, Sequence: 9, Chain: strings.Repeat("01", 32)}, {Replica: 1 << 62, Device: hlc.ID{4}, Sequence: 40, Chain: strings.Repeat("02", 32)}},
	}
}

func sign(t testing.TB, c *certificate.Certificate) []byte {
	t.Helper()
	b, err := certificate.Sign(key, c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestASignedCertificateOpensAndSaysTheSame(t *testing.T) {
	b := sign(t, henan())
	got, by, err := certificate.Open(b)
	if err != nil || !by.Equal(key.Public()) {
		t.Fatalf("%v, signed by %x", err, by)
	}
	if !reflect.DeepEqual(got, henan()) {
		t.Errorf("got %+v", got)
	}
	if !bytes.Equal(sign(t, got), b) {
		t.Error("signed again it is another file")
	}
	if _, _, err := certificate.Open(sign(t, &certificate.Certificate{})); err != nil {
		t.Errorf("an empty one: %v", err)
	}
}

// Whichever byte is changed, and to whatever, the file does not open; and a change of what the certificate says is found in its line.
func TestWhateverIsChangedIsNamed(t *testing.T) {
	whole := sign(t, henan())
	seals := bytes.Index(whole, []byte("\"seals\""))
	for at := range whole {
		for _, bits := range []byte{1, 0x20, 0x80, ' ' ^ '\t'} {
			b := bytes.Clone(whole)
			b[at] ^= bits
			_, _, err := certificate.Open(b)
			var fault *certificate.Fault
			if !errors.As(err, &fault) {
				t.Fatalf("byte %d of %d changed by %#x: it opens", at, len(b), bits)
			}
			line := 1 + bytes.Count(whole[:at], []byte("\n"))
			if at < seals-1 && line > 2 && (fault.Code != certificate.LineChanged || fault.Line != line) {
				t.Errorf("byte %d changed, in line %d: %v", at, line, fault)
			}
		}
	}
	for name, b := range map[string][]byte{"nothing": nil, "cut": whole[:len(whole)-1], "twice": append(bytes.Clone(whole), whole...), "more": append(bytes.Clone(whole), '\n'),
		"another's key": bytes.Replace(whole, []byte(`"key": "`), []byte(`"key": "A`), 1)} {
		if _, _, err := certificate.Open(b); err == nil {
			t.Errorf("%s: it opens", name)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(sign(f, henan()))
	f.Add([]byte("{\n\"levee_certificate\": 1,\n\"seals\": \"\",\n\"key\": \"\",\n\"signature\": \"\"\n}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, by, err := certificate.Open(b); err == nil && by.Equal(key.Public()) && !bytes.Equal(sign(t, c), b) {
			t.Error("what opens is not what was signed")
		}
	})
}

func TestWithin(t *testing.T) {
	c := henan()
	c.Sort()
	for _, tt := range []struct {
		replica  hlc.Replica
		sequence uint64
		want     bool
	}{{5, 9, true}, {5, 10, false}, {1 << 62, 40, true}, {1 << 62, 41, false}, {6, 1, false}} {
		if got := c.Within(tt.replica, tt.sequence); got != tt.want {
			t.Errorf("%d of %d: %v", tt.sequence, tt.replica, got)
		}
	}
}

// The differences, added to the totals before, give those after.
func TestDifferencesLeadFromOneEditionToTheNext(t *testing.T) {
	lines := rapid.Custom(func(t *rapid.T) map[certificate.Line]int64 {
		return rapid.MapOf(rapid.Custom(func(t *rapid.T) certificate.Line {
			return certificate.Line{Basis: rapid.SampledFrom([]string{"reported", "verified"}).Draw(t, "basis"), Figure: rapid.SampledFrom([]string{"cases", "persons"}).Draw(t, "figure"),
				By: rapid.SampledFrom([]string{"day", "place"}).Draw(t, "by"), Key: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "key")}
		}), rapid.Int64Range(0, 3)).Draw(t, "totals")
	})
	totals := func(of map[certificate.Line]int64, name string) *certificate.Certificate {
		c := &certificate.Certificate{}
		for l, v := range of {
			l.Name = name // which another name is no difference of
			c.Totals = append(c.Totals, certificate.Total{Line: l, Value: v})
		}
		c.Sort()
		return c
	}
	rapid.Check(t, func(t *rapid.T) {
		before, after := lines.Draw(t, "before"), lines.Draw(t, "after")
		got := map[certificate.Line]int64{}
		for l, v := range before {
			got[l] = v
		}
		for _, d := range certificate.Differ(totals(before, "old").Totals, totals(after, "new").Totals) {
			l := d.Line
			l.Name = ""
			if d.Before == d.After || got[l] != d.Before {
				t.Errorf("%+v, before it was %d", d, got[l])
			}
			got[l] = d.After
		}
		for l := range got {
			if got[l] != after[l] {
				t.Errorf("%+v: %d, want %d", l, got[l], after[l])
			}
		}
	})
}

func TestRecordsCarryAFileInParts(t *testing.T) {
	big := make([]byte, 3*record.MaxDocumentBytes)
	for i := range big { // that do not compress
		big[i] = byte((i*i*2654435761)>>13) ^ byte(i*31)
	}
	small := sign(t, henan())
	first, err := certificate.Records(1, big)
	if err != nil || len(first) < 2 {
		t.Fatalf("%d parts, %v", len(first), err)
	}
	second, err := certificate.Records(2, small)
	if err != nil {
		t.Fatal(err)
	}
	files, err := certificate.FromRecords(append(append(second, first[1:]...), first[0]))
	if err != nil || !bytes.Equal(files[1], big) || !bytes.Equal(files[2], small) || len(files) != 2 {
		t.Errorf("%d files, %v", len(files), err)
	}
	if files, err = certificate.FromRecords(append(second, first[1:]...)); err != nil || len(files) != 1 {
		t.Errorf("without the first part: %d files, %v", len(files), err)
	}
}
