package demo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"levee/server"
	"levee/server/demo"
)

// replay plays a deployment. Replay itself fails when a total is not the published one, when a tablet disagrees with
// the server, or when something is left unsent.
func replay(t *testing.T, o demo.Options) *demo.Result {
	t.Helper()
	d, err := demo.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	result, err := d.Replay(context.Background())
	if cerr := d.Close(); cerr != nil {
		t.Error(cerr)
	}
	if err != nil {
		t.Fatalf("seed %d over a %s network: %v\nreplay with: go run ./server/cmd/leveed demo --seed %d --network %s", o.Seed, o.Network, err, o.Seed, o.Network)
	}
	return result
}

func TestTheTotalsAreThePublishedOnesOverEveryNetworkAndForEverySeed(t *testing.T) {
	divisions := map[string]bool{}
	for _, o := range []demo.Options{
		{Network: "good"}, {Network: "awful"}, {Network: "awful", Seed: 1}, {Network: "rough"},
		{Network: "rough", Seed: 1}, {Network: "rough", Seed: 2}, {Network: "rough", Seed: 3}, {Network: "rough", Seed: 4}, {Network: "rough", Seed: 5},
	} {
		t.Run(fmt.Sprintf("%s %d", o.Network, o.Seed), func(t *testing.T) {
			r := replay(t, o)
			sum := demo.Divided{}
			for _, s := range r.BySite {
				sum.Cases += s.Cases
				sum.GroupSessions += s.GroupSessions
				sum.CommunityActivities += s.CommunityActivities
				sum.Beneficiaries += s.Beneficiaries
			}
			// Nobody was served at two sites here, so even persons add up.
			if want := (demo.Divided{Cases: 10, GroupSessions: 14, CommunityActivities: 14, Beneficiaries: 4130}); sum != want {
				t.Errorf("the sites add up to %+v", sum)
			}
			if r.Devices != 12 || r.Sites != 3 || r.Requests == 0 || r.Changes < 400 || (o.Network != "good") != (r.Faults > 0) {
				t.Errorf("%+v", r)
			}
			if o.Network == "rough" {
				divisions[fmt.Sprint(r.BySite)] = true
			}
		})
	}
	if len(divisions) != 6 {
		t.Errorf("%d divisions from six seeds", len(divisions))
	}
}

func TestTheDatabasesAreLeftAndRecounted(t *testing.T) {
	dir := t.TempDir()
	replay(t, demo.Options{Network: "good", Dir: dir})
	if tablets, err := filepath.Glob(filepath.Join(dir, "tablet-*.db")); err != nil || len(tablets) != 12 {
		t.Errorf("tablets left: %v, %v", tablets, err)
	}
	equal, err := server.Recount(context.Background(), filepath.Join(dir, demo.ServerDB), os.Stderr, false)
	if err != nil || !equal {
		t.Errorf("recount: %v, %v", equal, err)
	}
	if _, err := demo.Start(context.Background(), demo.Options{Network: "good", Dir: dir}); err == nil {
		t.Error("a second demo wrote over the first one's databases")
	}
}

func TestTheResultReadsInBothLanguages(t *testing.T) {
	r := replay(t, demo.Options{Network: "good", Language: "zh_CN.UTF-8"})
	var zh, en strings.Builder
	if err := r.Print(&zh, "zh_CN.UTF-8"); err != nil {
		t.Fatal(err)
	}
	if err := r.Print(&en, "en"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(zh.String(), "受益人群") || !strings.Contains(zh.String(), "心理疏导") || !strings.Contains(en.String(), "4,130") {
		t.Errorf("%s\n%s", zh.String(), en.String())
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"service_days", "cases", "group_sessions", "community_activities", "beneficiaries", "sites", "devices", "outstanding", "network", "requests", "bytes_up", "bytes_down", "changes", "by_site"} {
		if !strings.Contains(string(b), `"`+key+`":`) {
			t.Errorf("JSON lacks %s", key)
		}
	}
}

func TestAnUnknownNetworkIsRefused(t *testing.T) {
	if _, err := demo.Start(context.Background(), demo.Options{Network: "fast"}); err == nil {
		t.Error("started")
	}
}
