package progress_test

import (
	"context"
	"slices"
	"testing"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/tally"
)

// spoil writes to the store what no server would.
func spoil(t *testing.T, d *servertest.Deployment, c syncing.Changes) {
	t.Helper()
	if err := d.DB.Deployment(d.ID).Write(context.Background(), func(tx syncing.Writing) error { return tx.Save(c) }); err != nil {
		t.Fatal(err)
	}
}

func headOf(t *testing.T, d *servertest.Deployment) (head syncing.Head) {
	t.Helper()
	if err := d.DB.Deployment(d.ID).Read(context.Background(), func(tx syncing.Reading) (err error) {
		head, err = tx.Head()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return head
}

func TestRecountFindsWhatWasChangedByHand(t *testing.T) {
	cell := tally.Cell{Basis: tally.Reported, Figure: tally.Contacts, Cut: tally.Everything()}
	for _, c := range []struct {
		name  string
		spoil func(*servertest.Deployment) syncing.Changes
		// figures that differ, by name, and codes of the faults besides.
		figures []string
		faults  []progress.FaultCode
	}{
		{"nothing", func(*servertest.Deployment) syncing.Changes { return syncing.Changes{} }, nil, nil},
		{"a total", func(*servertest.Deployment) syncing.Changes {
			return syncing.Changes{Totals: tally.Delta{Cells: map[tally.Cell]int64{cell: 1}}}
		}, []string{"contacts"}, nil},
		{"a total that should not be there", func(*servertest.Deployment) syncing.Changes {
			return syncing.Changes{Totals: tally.Delta{Cells: map[tally.Cell]int64{{Basis: tally.Verified, Figure: tally.Cases, Cut: tally.InPlace("99")}: 1}}}
		}, []string{"cases"}, nil},
		{"how often somebody was met", func(*servertest.Deployment) syncing.Changes {
			return syncing.Changes{Totals: tally.Delta{Tokens: map[tally.TokenCell]int64{{Basis: tally.Reported, Cut: tally.Everything(), Token: tally.Token{1}}: 1}}}
		}, []string{"persons"}, []progress.FaultCode{progress.TokenCounts}},
		{"what a day gave", func(d *servertest.Deployment) syncing.Changes {
			fact := tally.Fact{Day: 20211001, Workers: []hlc.ID{d.Workers["anna"]}, Minutes: 1, Tokens: []tally.Token{{1}}}
			return syncing.Changes{Totals: tally.Delta{Moves: fact.Moves()}}
		}, nil, []progress.FaultCode{progress.DayCounts, progress.DayCounts, progress.DayCounts, progress.DayCounts}},
		{"goods and alerts", func(*servertest.Deployment) syncing.Changes {
			return syncing.Changes{Told: syncing.Told{Goods: map[syncing.GoodsDay]syncing.GoodsSums{{Day: 20211001, What: syncing.GoodsFailed}: {Links: 1}}, Alerts: map[syncing.AlertDay]syncing.AlertSums{{Day: 20211001}: {Open: 1}}}}
		}, nil, []progress.FaultCode{progress.DayCounts, progress.DayCounts}},
		{"a record", func(d *servertest.Deployment) syncing.Changes {
			r := anyRecord(d, recordv1.Kind_KIND_HEADCOUNT)
			r.State = anyRecord(d, recordv1.Kind_KIND_COMMUNITY_ACTIVITY).State
			return syncing.Changes{Records: []syncing.Record{r}}
		}, []string{"contacts", "persons", "persons_by_number"}, []progress.FaultCode{progress.RecordDiffers, progress.DayCounts, progress.DayCounts}},
		{"a record that nobody wrote", func(d *servertest.Deployment) syncing.Changes {
			r := anyRecord(d, recordv1.Kind_KIND_COMMUNITY_ACTIVITY)
			r.ID = d.NewID()
			return syncing.Changes{Records: []syncing.Record{r}}
		}, []string{"community_activities"}, []progress.FaultCode{progress.RecordDiffers, progress.DayCounts, progress.DayCounts}},
		{"the end of the log", func(d *servertest.Deployment) syncing.Changes {
			head := headOf(t, d)
			return syncing.Changes{Head: head, Log: []syncing.LogEntry{{Position: head.Position + 1, Outcome: syncing.NewAudience, Chain: head.Chain}}}
		}, nil, []progress.FaultCode{progress.LogChain, progress.LogChain}},
		{"a change that is no change", func(d *servertest.Deployment) syncing.Changes {
			head := headOf(t, d)
			return syncing.Changes{Head: head, Log: []syncing.LogEntry{{Position: head.Position + 2, Replica: 7, Sequence: 3, Body: []byte{1}, Chain: head.Chain}}}
		}, nil, []progress.FaultCode{progress.LogGap, progress.LogChain, progress.LogGap, progress.LogEntry, progress.LogChain, progress.ReplicaChain, progress.RecordLost}},
		{"how far a tablet is", func(*servertest.Deployment) syncing.Changes {
			return syncing.Changes{Replicas: []syncing.Replica{{Number: 7, Have: 1}}}
		}, nil, []progress.FaultCode{progress.ReplicaChain}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := servertest.New(t)
			anna := d.Enrol("anna")
			anna.Push(activity(anna, 20211001, 10, 3)...)
			spoil(t, d, c.spoil(d))
			r, err := progress.Recount(context.Background(), d.DB.Deployment(d.ID), d.ID)
			if err != nil {
				t.Fatal(err)
			}
			var figures []string
			for _, l := range r.Totals {
				if l.Value != l.Counted && l.Dimension == "whole" || l.Key == "99" {
					figures = append(figures, l.Figure)
				}
			}
			var faults []progress.FaultCode
			for _, f := range r.Faults {
				faults = append(faults, f.Code)
			}
			if !slices.Equal(figures, c.figures) || !slices.Equal(faults, c.faults) || r.Equal() != (c.name == "nothing") {
				t.Errorf("equal %v, figures %v, faults %v", r.Equal(), figures, r.Faults)
			}
		})
	}
}

func anyRecord(d *servertest.Deployment, k recordv1.Kind) (found syncing.Record) {
	d.T.Helper()
	err := d.DB.Deployment(d.ID).Look(context.Background(), func(tx progress.Reading) error {
		return tx.EachRecord(func(r syncing.Record) error {
			if r.Kind == k && found.State == nil {
				found = r
			}
			return nil
		})
	})
	if err != nil {
		d.T.Fatal(err)
	}
	return found
}

func TestRecountNamesKeysAndCountsBothWays(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	anna.Push(activity(anna, 20211001, 10, 3)...)
	r, err := progress.Recount(context.Background(), d.DB.Deployment(d.ID), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := progress.Line{TotalRow: progress.TotalRow{Basis: "reported", Figure: "persons", Dimension: "site", Key: d.Sites[0].String(), Value: 10}, Name: "王庄镇", Counted: 10}
	if !slices.Contains(r.Totals, want) {
		t.Errorf("%+v is not in %+v", want, r.Totals)
	}
	if r.Records != 13 || r.Changes != 13 || r.Erased != 0 || r.Position != headOf(t, d).Position {
		t.Errorf("%+v", r)
	}
}

func TestRecountPassesOverWhatWasErased(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	anna.Push(activity(anna, 20211001, 10, 3)...)
	head, hash := headOf(t, d), batch.HashOf([]byte("what it said"))
	e := syncing.LogEntry{Position: head.Position + 1, Replica: 7, Sequence: 1, Record: anyRecord(d, recordv1.Kind_KIND_HEADCOUNT).ID, Hash: hash[:]}
	e.Chain = batch.NextLog(head.Chain, e.Position, e.Replica, e.Sequence, hash)
	spoil(t, d, syncing.Changes{
		Head: syncing.Head{Position: e.Position, Chain: e.Chain, Time: head.Time}, Log: []syncing.LogEntry{e},
		Replicas: []syncing.Replica{{Number: 7, Have: 1, Chain: batch.Next(batch.Start(d.ID, 7), hash)}},
	})
	r, err := progress.Recount(context.Background(), d.DB.Deployment(d.ID), d.ID)
	if err != nil || !r.Equal() || r.Erased != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}
