package servertest

import (
	"maps"
	"path/filepath"
	"testing"

	"levee/syncproto/hlc"
)

// Template is a deployment as it stood once, with some of its devices: for tests that begin very often from the same.
type Template struct {
	d       *Deployment
	copied  Copied
	devices []*Device
}

// NewTemplate keeps a deployment, and closes it.
func NewTemplate(d *Deployment, devices ...*Device) *Template {
	d.T.Helper()
	d.Close()
	return &Template{d, CopyOf(d.T, d.at), devices}
}

// Open is the deployment as it stood, in a database of its own, and its devices. All that it draws at random is drawn alike
// each time.
func (p *Template) Open(t testing.TB) (*Deployment, []*Device) {
	t.Helper()
	random := *p.d.rand
	d := &Deployment{T: t, ID: p.d.ID, Keys: p.d.Keys, Sites: p.d.Sites, Teams: p.d.Teams, Workers: p.d.Workers,
		rand: &random}
	d.takePlace(t, p.copied.Put(t, filepath.Join(t.TempDir(), "server.db")))
	d.SetWall(p.d.Wall())
	d.clock = hlc.NewClock(d.Wall, p.d.clock.Now())
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
