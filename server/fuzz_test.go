package server

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// FuzzReadSetUp: a file is refused with words, or makes a deployment as it says, of records that any tablet might have
// sent.
func FuzzReadSetUp(f *testing.F) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		f.Fatal(err)
	}
	_, example, _ := strings.Cut(string(readme), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	f.Add([]byte(example))
	f.Add([]byte("name: one day\nstart: 2021-09-23\nend: 2021-09-23\n"))
	f.Add([]byte("name: &a x\nstart: *a\nsites: [{name: *a, code: '410621108', edition: 99999999999}]\n"))
	f.Add([]byte("name: x\nstart: 2021-09-23\ntime_zone: ../../etc/passwd\nworkers: [{name: 张敏, role: coordinator}, {name: 张敏, role: Coordinator}]\n"))
	f.Add([]byte("{name: \"\\xff\", start: !!binary aaaa, end: ~, teams: [{name: 一队, site: 无}]}"))
	now := time.Date(2021, 10, 1, 4, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ReadSetUp(bytes.NewReader(text))
		if err != nil {
			return
		}
		entropy, clock := rand.NewChaCha8([32]byte{1}), hlc.NewClock(func() time.Time { return now }, 0)
		records, err := s.records(func() (hlc.ID, error) { return hlc.NewID(clock.Now(), entropy) })
		if err == nil {
			err = validate(records, now)
		}
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		m, ok := records[0].Message.(*recordv1.Deployment)
		if !ok || m.GetName() != s.Name || record.Date(m.GetStartOn()).String() != s.Start || (s.End != "") != (m.EndOn != nil) ||
			m.EndOn != nil && record.Date(m.GetEndOn()).String() != s.End || len(records) != 1+len(s.Sites)+len(s.Teams)+len(s.Workers) {
			t.Fatalf("%+v became %v and %d more", s, m, len(records)-1)
		}
		there := map[hlc.ID]bool{}
		for _, r := range records {
			if worker, ok := r.Message.(*recordv1.Worker); ok && len(worker.GetTeam()) > 0 && !there[hlc.ID(worker.GetTeam())] {
				t.Fatalf("the team of %v is not there", worker)
			}
			if there[r.ID] = true; r.ID == (hlc.ID{}) {
				t.Fatal("a record without an id")
			}
		}
	})
}
