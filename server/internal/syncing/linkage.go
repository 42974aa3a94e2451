package syncing

import (
	"bytes"
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// withLinkageKey is a deployment that is to be made, with the key under which its tablets make tokens: a new one, unless there
// is a shared one.
func (g *group) withLinkageKey(d *recordv1.Deployment, shared []byte) (*recordv1.Deployment, error) {
	d = proto.CloneOf(d)
	if d.LinkageKey = shared; shared != nil {
		return d, nil
	}
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
	return s.write(ctx, func(g *group) error {
		e, err := g.get(g.self.deployment)
		if err != nil || !e.there || e.registers.Get(record.LinkageKeyField).Field != 0 { // another server may have given it one
			return err
		}
		keyed, err := g.withLinkageKey(&recordv1.Deployment{}, nil)
		if err != nil {
			return err
		}
		return g.author(e, e.ID, hlc.ID{}, keyed)
	})
}

// linkageKey is the deployment's linkage key, which leaves this package in the deployment's record alone; nil when it has none, or
// none any more.
func (s *Service) linkageKey(ctx context.Context) (key []byte, err error) {
	err = s.config.Store.Read(ctx, func(tx Reading) error {
		found, err := tx.Records([]hlc.ID{s.config.Deployment})
		if err != nil || len(found) == 0 {
			return err
		}
		registers, err := record.DecodeState(found[0].State)
		if err != nil {
			return fmt.Errorf("state of record %v: %w", found[0].ID, err)
		}
		key, _ = record.CutBytes(registers.Get(record.LinkageKeyField).Value)
		return nil
	})
	if len(key) != record.LinkageKeyBytes {
		return nil, err
	}
	return key, err
}

// Linked divides deployments into those that have one linkage key: under it one person has one token in all of them. Deployments
// and divisions stand in the order in which they are given. Whoever has no key, or none any more, is alone.
func Linked(ctx context.Context, all []*Service) (divided [][]*Service, err error) {
	var keys [][]byte // of each division
	for _, s := range all {
		key, err := s.linkageKey(ctx)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(keys, func(other []byte) bool { return key != nil && subtle.ConstantTimeCompare(key, other) == 1 })
		if i < 0 {
			i, keys, divided = len(keys), append(keys, key), append(divided, nil)
		}
		divided[i] = append(divided[i], s)
	}
	return divided, nil
}

// replacesSecret reports whether registers have a secret field otherwise than it stands.
func replacesSecret(kind record.Kind, standing, registers record.Registers) bool {
	for _, r := range registers {
		if was := standing.Get(r.Field); record.Secret(kind, r.Field) && (was.Stamp != r.Stamp || !bytes.Equal(was.Value, r.Value)) {
			return true
		}
	}
	return false
}
