package casefile

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/audit"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Supervision is a supervision session with the advice in it that a reader may see.
type Supervision struct {
	ID      hlc.ID
	Session *recordv1.Supervision
	Team    progress.Named
	// Position is that of its newest change: who acts on the record says up to where they have seen it.
	Position uint64
	Advice   []Advice // the oldest first
}

// Advice is what somebody advised.
type Advice struct {
	ID       hlc.ID
	By       progress.Named
	Text     string
	Position uint64
}

// Supervision is one supervision session. Problem not_found when there is none, or it is hidden from the reader.
func (s *Service) Supervision(ctx context.Context, by Reader, id hlc.ID) (out Supervision, err error) {
	action := audit.RecordRead
	err = s.Store.ReadCase(ctx, func(tx Reading) error {
		family, err := tx.Families([]hlc.ID{id})
		if err != nil {
			return err
		}
		i := slices.IndexFunc(family, func(r syncing.Record) bool { return r.ID == id })
		if i < 0 || family[i].Kind != recordv1.Kind_KIND_SUPERVISION {
			return problem.New(problem.NotFound)
		}
		root := family[i]
		slices.SortFunc(family, func(a, b syncing.Record) int { return hlc.CompareIDs(a.ID, b.ID) })
		session := &recordv1.Supervision{}
		seen, err := fieldsFor(by, root, root, session)
		if err != nil {
			return err
		}
		if !seen {
			return problem.New(problem.NotFound)
		}
		out = Supervision{ID: id, Session: session, Position: root.Position, Team: progress.Named{ID: root.Audience, Name: s.SetUp().Teams[root.Audience].GetName()}}
		for _, r := range family {
			note := &recordv1.SupervisionNote{}
			if r.Kind != recordv1.Kind_KIND_SUPERVISION_NOTE {
				continue
			}
			seen, err := fieldsFor(by, r, root, note)
			if err != nil {
				return err
			}
			if !seen || note.GetAdvice() == "" {
				continue
			}
			action = audit.ConfidentialRead
			advice := Advice{ID: r.ID, Text: note.GetAdvice(), Position: r.Position}
			if author := hlc.IDOf(note.GetAuthor()); author != (hlc.ID{}) {
				advice.By = progress.Named{ID: author, Name: s.SetUp().Workers[author].GetName()}
			}
			out.Advice = append(out.Advice, advice)
		}
		return nil
	})
	if err == nil {
		err = s.note(ctx, by, action, id)
	}
	if err != nil {
		return Supervision{}, err
	}
	return out, nil
}

// fieldsFor reads the fields of a record of a family into m; false when it is deleted, or hidden from the reader.
func fieldsFor(by Reader, r, root syncing.Record, m proto.Message) (bool, error) {
	circle, err := syncing.CircleOf(r, &root)
	if err != nil || !by.Sees(r, circle) {
		return false, err
	}
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return false, fmt.Errorf("state of record %v: %w", r.ID, err)
	}
	if registers.Deleted() {
		return false, nil
	}
	if err := proto.Unmarshal(registers.Fields(), m); err != nil {
		return false, fmt.Errorf("fields of record %v: %w", r.ID, err)
	}
	return true, nil
}
