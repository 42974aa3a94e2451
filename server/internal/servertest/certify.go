package servertest

import (
	"context"
	"encoding/hex"
	"errors"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
)

// Certify is the certificate of the deployment as it stands, of which a recount is equal; with one waiver, and from the second edition on
// with one addendum.
func (d *Deployment) Certify(edition int) *certificate.Certificate {
	d.T.Helper()
	ctx := context.Background()
	counted, err := progress.Recount(ctx, d.DB.Deployment(d.ID), d.ID)
	if err != nil || !counted.Equal() {
		d.T.Fatalf("recount: %v, %+v", err, counted)
	}
	now := d.Wall().UTC()
	c := &certificate.Certificate{Deployment: certificate.Deployment{ID: d.ID, Name: "test", StartOn: "2021-09-23", EndOn: "2021-12-06", TimeZone: "Asia/Shanghai"}, Edition: edition,
		Issued:  certificate.Issued{At: now, Worker: d.Workers["coordinator"], Name: "coordinator"},
		Log:     certificate.Log{Records: counted.Records, Changes: counted.Changes, Erased: counted.Erased},
		Checks:  []certificate.Check{{Check: "unheard", Open: 1, Waived: 1}},
		Waivers: []certificate.Waiver{{Check: "unheard", Subject: d.Sites[0], Name: "平板三", Count: 1, Reason: "在洪水中丢失", By: "coordinator", At: now}}}
	if edition > 1 {
		c.Addenda = []certificate.Addendum{{Device: d.Sites[0], Name: "平板三", Received: now, Accepted: 1, Reasons: []string{"已核对", "属实"}}}
		c.Differences = []certificate.Difference{{Line: certificate.Line{Basis: "reported", Figure: "cases", By: "whole"}, Before: 2, After: 3}}
	}
	for _, l := range counted.Totals {
		c.Totals = append(c.Totals, certificate.Total{Line: certificate.Line{Basis: l.Basis, Figure: l.Figure, By: l.Dimension, Key: l.Key, Name: l.Name}, Value: l.Value})
	}
	err = d.DB.Deployment(d.ID).Look(ctx, func(tx progress.Reading) error {
		head, err := tx.Head()
		c.Log.Position, c.Log.Chain = head.Position, hex.EncodeToString(head.Chain[:])
		return errors.Join(err, tx.EachReplica(func(r syncing.Replica) error {
			c.Replicas = append(c.Replicas, certificate.Replica{Replica: r.Number, Device: r.Device, Sequence: r.Have, Chain: hex.EncodeToString(r.Chain[:])})
			return nil
		}))
	})
	if err != nil {
		d.T.Fatal(err)
	}
	return c
}

// Issue signs a certificate, keeps it as the server does, and gives its file.
func (d *Deployment) Issue(c *certificate.Certificate) []byte {
	d.T.Helper()
	file, err := certificate.Sign(d.Keys.Signing, c)
	if err != nil {
		d.T.Fatal(err)
	}
	parts, err := certificate.Records(c.Edition, file)
	if err != nil {
		d.T.Fatal(err)
	}
	for _, part := range parts {
		if err := d.Service.ChangeSetUp(context.Background(), hlc.ID{}, syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: d.NewID(), Message: part}}); err != nil {
			d.T.Fatal(err)
		}
	}
	return file
}
