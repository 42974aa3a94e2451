package syncing

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// withLinkageKey is a deployment that is to be made, with the key under which its tablets make tokens.
func (g *group) withLinkageKey(d *recordv1.Deployment) (*recordv1.Deployment, error) {
	d = proto.CloneOf(d)
	d.LinkageKey = make([]byte, record.LinkageKeyBytes)
	if _, err := io.ReadFull(g.self.entropy, d.LinkageKey); err != nil {
		return nil, fmt.Errorf("making the linkage key: %w", err)
	}
	return d, nil
}

// makeLinkageKey gives a deployment its key that an older server made without. One that was emptied stays so.
func (s *Service) makeLinkageKey(ctx context.Context) error {
	if setUp := s.SetUp(); setUp.keyed || setUp.Deployment.GetTimeZone() == "" || setUp.Closed() {
		return nil
	}
	return s.writer.do(ctx, func(g *group) error {
		e, err := g.get(g.self.deployment)
		if err != nil || !e.there {
			return err
		}
		keyed, err := g.withLinkageKey(&recordv1.Deployment{})
		if err != nil {
			return err
		}
		return g.author(e, e.ID, hlc.ID{}, keyed)
	})
}

// touchesSecret reports whether registers have a field that only the server sets.
func touchesSecret(kind record.Kind, registers record.Registers) bool {
	return replacesSecret(kind, nil, registers)
}

// replacesSecret reports whether registers have a field that only the server sets otherwise than it stands.
func replacesSecret(kind record.Kind, standing, registers record.Registers) bool {
	for _, r := range registers {
		if was := standing.Get(r.Field); record.Secret(kind, r.Field) && (was.Stamp != r.Stamp || !bytes.Equal(was.Value, r.Value)) {
			return true
		}
	}
	return false
}
