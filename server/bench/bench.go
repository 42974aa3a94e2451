// Package bench measures a real server with as many records as wanted in it, and devices that send as tablets do.
package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"levee/server"
	"levee/syncproto/record"
)

// The deployment that is measured: the days of the reference deployment.
const (
	firstDay record.Date = 20210923
	lastDay  record.Date = 20211206
	days                 = 75
)

const (
	workersPerTeam = 10
	// recordsPerTeam is about what a team of ten logs in 75 days: 13 records a day each.
	recordsPerTeam = 10_000
	coordinator    = "coordinator"
)

// now is the server's clock while records come in: the evening of the last day, in the deployment's time zone.
var now = time.Date(2021, 12, 6, 12, 0, 0, 0, time.UTC)

// scene is one server with one deployment.
type scene struct {
	dir string
	// server works in this process; nil once another one serves.
	server *server.Server
	seed   uint64
	// wall is the clock of the server and the devices.
	wall func() time.Time
}

// start makes a server with as many teams as it takes to log so many records, at the end of the deployment.
func start(ctx context.Context, records int, seed uint64) (*scene, error) {
	return startAt(ctx, max(3, records/recordsPerTeam), seed, func() time.Time { return now })
}

// startAt makes a server with so many teams, by a clock.
func startAt(ctx context.Context, teams int, seed uint64, wall func() time.Time) (_ *scene, err error) {
	s := &scene{seed: seed, wall: wall}
	if s.dir, err = os.MkdirTemp("", "levee-bench-"); err != nil {
		return nil, err
	}
	var source [32]byte
	binary.LittleEndian.PutUint64(source[:], seed)
	s.server, err = server.New(ctx, server.Config{DB: filepath.Join(s.dir, "server.db"), SetUp: setUp(teams), URL: "https://bench.invalid",
		Wall: wall, Entropy: rand.NewChaCha8(source), Unlimited: true})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.server.Begin(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *scene) close() error {
	var err error
	if s.server != nil {
		err = s.server.Close()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// towns are where teams work: those of the reference deployment.
var towns = []server.SetUpSite{
	{Name: "王庄镇", Code: "410621108", Edition: 2023},
	{Name: "小河镇", Code: "410621105", Edition: 2023},
	{Name: "上乐村镇", Code: "410781106", Edition: 2023},
}

func setUp(teams int) *server.SetUp {
	s := &server.SetUp{Name: "bench", Start: firstDay.String(), End: lastDay.String(), TimeZone: "Asia/Shanghai", Sites: towns,
		Workers: []server.SetUpWorker{{Name: coordinator, Role: "coordinator"}}}
	for t := range teams {
		team := server.SetUpTeam{Name: fmt.Sprintf("team %d", t+1), Site: towns[t%len(towns)].Name}
		s.Teams = append(s.Teams, team)
		for w := range workersPerTeam {
			s.Workers = append(s.Workers, server.SetUpWorker{Name: workerName(t, w), Team: team.Name, Role: []string{"team_lead", "field_worker"}[min(w, 1)]})
		}
	}
	return s
}

func workerName(team, worker int) string { return fmt.Sprintf("worker %d-%d", team+1, worker+1) }

// say tells how far a bench is, if anybody wants to know.
func say(w io.Writer, format string, args ...any) {
	if w != nil {
		_, _ = fmt.Fprintf(w, format+"\n", args...) // a line that can't be shown stops nothing
	}
}
