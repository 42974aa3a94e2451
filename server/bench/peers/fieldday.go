package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

// The field day: what every system is given to do.
const (
	devices        = 50
	devicesPerTeam = 10
	perDevice      = 400
	// atOnce is how many devices talk to the server at a time.
	atOnce = 8
	// all is how many records are uploaded, pulled how many are downloaded: by each device those of its nine team mates.
	all    = devices * perDevice
	pulled = all * (devicesPerTeam - 1)
	// noteLength is in characters.
	noteLength = 80
)

// record is one that a device logs: 13 fields, about 503 bytes of compact JSON.
type record struct {
	ID string `json:"id"`
	fields
}

// fields are all but the id, which each system has in a place of its own.
type fields struct {
	Team    string  `json:"team"`
	Worker  string  `json:"worker"`
	Kind    string  `json:"kind"`
	Site    string  `json:"site"`
	Day     string  `json:"day"`
	Service string  `json:"service"`
	Minutes int     `json:"minutes"`
	Women   int     `json:"women"`
	Men     int     `json:"men"`
	Lat     float64 `json:"lat"`
	Lng     float64 `json:"lng"`
	Note    string  `json:"note"`
}

// device is one tablet with what it has to send.
type device struct {
	number       int
	team, worker string
	records      []record
}

// fieldDay is what all devices log. The same seed gives the same, and all of it is made up.
func fieldDay(seed uint64) []*device {
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // made-up records are no secret
	var day []*device
	var team string
	for i := range devices {
		if i%devicesPerTeam == 0 {
			team = newID(r)
		}
		d := &device{number: i, team: team, worker: newID(r)}
		for range perDevice {
			d.records = append(d.records, record{newID(r), fields{
				Team: d.team, Worker: d.worker,
				Kind: pick(r, "case", "group", "activity"), Site: pick(r, "410621105", "410621108", "410781106"),
				Day:     time.Date(2021, 9, 23+r.IntN(75), 0, 0, 0, 0, time.UTC).Format(time.DateOnly),
				Service: pick(r, "psychological", "cultural", "resources"),
				Minutes: 15 * (1 + r.IntN(16)), Women: r.IntN(40), Men: r.IntN(40),
				Lat: float64(354000+r.IntN(4000)) / 1e4, Lng: float64(1140000+r.IntN(6000)) / 1e4,
				Note: note(r),
			}})
		}
		day = append(day, d)
	}
	return day
}

// newID is 128 random bits, without dashes: PocketBase takes no others.
func newID(r *rand.Rand) string {
	return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
}

func pick(r *rand.Rand, from ...string) string {
	return from[r.IntN(len(from))]
}

// characters are what notes are made of.
var characters = []rune("的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平")

// note is of these at random, the first most often: so it compresses about as badly as the notes of leveed bench, and as those
// that people write.
func note(r *rand.Rand) string {
	n := make([]rune, noteLength)
	for i := range n {
		n[i] = characters[r.IntN(1+r.IntN(1+r.IntN(len(characters))))]
	}
	return string(n)
}

// each lets every device do something, some at a time.
func each(ctx context.Context, day []*device, do func(context.Context, *device) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, d := range day {
		g.Go(func() error {
			if err := do(ctx, d); err != nil {
				return fmt.Errorf("device %d: %w", d.number, err)
			}
			return nil
		})
	}
	return g.Wait()
}
