package clientlib

import (
	"context"

	recordv1 "levee/syncproto/levee/record/v1"
)

// Not there yet.

func (s *Store) Drafts(context.Context) ([]AnyRecord, error) { return nil, nil }

type Returned struct {
	Review Record[*recordv1.Review]
	Target AnyRecord
}

func (s *Store) Returned(context.Context) ([]Returned, error) { return nil, nil }
func (s *Store) Verify(context.Context, Key) error            { return nil }
