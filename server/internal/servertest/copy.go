package servertest

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"levee/syncproto/hlc"
)

// Template is a deployment as it stood once, with some of its devices: for tests that begin very often from the same.
type Template struct {
	d       *Deployment
	file    []byte
	devices []*Device
}

// NewTemplate keeps a deployment, and closes it.
func NewTemplate(d *Deployment, devices ...*Device) *Template {
	d.T.Helper()
	d.Close()
	file, err := os.ReadFile(d.path)
	if err != nil {
		d.T.Fatal(err)
	}
	return &Template{d, file, devices}
}

// Open is the deployment as it stood, in a file of its own, and its devices. All that it draws at random is drawn alike
// each time.
func (p *Template) Open(t testing.TB) (*Deployment, []*Device) {
	t.Helper()
	random := *p.d.rand
	d := &Deployment{T: t, ID: p.d.ID, Keys: p.d.Keys, Sites: p.d.Sites, Teams: p.d.Teams, Workers: p.d.Workers,
		rand: &random, path: filepath.Join(t.TempDir(), "server.db")}
	d.SetWall(p.d.Wall())
	d.clock = hlc.NewClock(d.Wall, p.d.clock.Now())
	if err := os.WriteFile(d.path, p.file, 0o600); err != nil {
		t.Fatal(err)
	}
	d.Open()
	t.Cleanup(d.Close)
	devices := make([]*Device, len(p.devices))
	for i, was := range p.devices {
		v := *was
		v.Deployment, v.Sent, v.Seen = d, append([][]byte{}, was.Sent...), maps.Clone(was.Seen)
		v.Clock = hlc.NewClock(d.Wall, was.Clock.Now())
		devices[i] = &v
	}
	return d, devices
}
