package main

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"
)

func TestFieldDayIsWhatItSays(t *testing.T) {
	day := fieldDay(1)
	if !reflect.DeepEqual(day, fieldDay(1)) {
		t.Error("the same seed gives other records")
	}
	ids, teams, size := map[string]bool{}, map[string]int{}, 0
	for _, d := range day {
		teams[d.team]++
		for _, r := range d.records {
			ids[r.ID] = true
			if n := utf8.RuneCountInString(r.Note); n != noteLength || r.Team != d.team || r.Worker != d.worker {
				t.Fatalf("of device %d, with a note of %d characters: %+v", d.number, n, r)
			}
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			size += len(text)
		}
	}
	if len(day) != devices || len(ids) != all || len(teams) != devices/devicesPerTeam {
		t.Errorf("%d devices, %d records, %d teams", len(day), len(ids), len(teams))
	}
	for team, n := range teams {
		if n != devicesPerTeam {
			t.Errorf("the team %s has %d devices", team, n)
		}
	}
	if mean := size / all; mean < 490 || mean > 520 {
		t.Errorf("a record has %d bytes as JSON", mean)
	}
}

// given is a session that gives what it is told.
type given []record

func (g given) push(context.Context, []record) error { return nil }
func (g given) count(context.Context) (int, error)   { return len(g), nil }
func (g given) pull(_ context.Context, got func(record) error) error {
	for _, r := range g {
		if err := got(r); err != nil {
			return err
		}
	}
	return nil
}

func TestDownloadTakesOnlyWhatTeamMatesSent(t *testing.T) {
	day := fieldDay(1)[:devicesPerTeam+1]
	mate, changed := day[1].records[0], day[1].records[1]
	changed.Men++
	for name, c := range map[string]struct {
		given given
		good  bool
	}{
		"a team mate's":  {given{mate, day[2].records[0]}, true},
		"twice":          {given{mate, mate}, false},
		"its own":        {given{day[0].records[0]}, false},
		"another team's": {given{day[devicesPerTeam].records[0]}, false},
		"changed":        {given{changed}, false},
	} {
		sessions := make([]session, len(day))
		for i := range sessions {
			sessions[i] = given{}
		}
		sessions[0] = c.given
		got, err := download(t.Context(), day, sessions)
		if (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
		if c.good && got[0] != len(c.given) {
			t.Errorf("%s: got %d", name, got[0])
		}
	}
}

func TestCompleteCountsEachTeam(t *testing.T) {
	day := fieldDay(1)[:2*devicesPerTeam]
	sessions := make([]session, len(day))
	for i := range sessions {
		sessions[i] = make(given, devicesPerTeam*perDevice)
	}
	if err := complete(t.Context(), day, sessions); err != nil {
		t.Error(err)
	}
	sessions[devicesPerTeam] = make(given, devicesPerTeam*perDevice-1)
	if complete(t.Context(), day, sessions) == nil {
		t.Error("a record of the second team is missing, and nobody minds")
	}
}
