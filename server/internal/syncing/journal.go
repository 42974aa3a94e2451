package syncing

import (
	"context"
	"time"

	"levee/server/internal/journal"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/wire"
)

// Journal keeps what can't be undone and must outlive a restore of the store.
type Journal interface {
	// Find is the entry of a sort about a subject; nil when there is none.
	Find(sort string, subject []byte) *syncv1.JournalEntry
	// Any reports whether there are entries of a sort.
	Any(sort string) bool
	// All are the entries of a sort.
	All(sort string) []*syncv1.JournalEntry
	// Add keeps signed entries, but for those of which sort and subject are there. They are on the disk when it returns.
	Add(tx journal.Writing, entries ...*syncv1.JournalEntry) error
	// Refresh reads what other servers have added since, and tells whether there was something. lacking says that the store has
	// not all that there is.
	Refresh(tx journal.Reading) (news, lacking bool, err error)
	// Mend does as Refresh, and gives the store what it lacks.
	Mend(tx journal.Writing) error
	// After are the entries that follow a mark, at most so many, and the mark behind them; same is false when the mark is
	// no place of this journal.
	After(mark *syncv1.Mark, most int) (entries []*syncv1.JournalEntry, next *syncv1.Mark, same bool)
}

// maxJournalEntries is how many entries of the journal one answer carries.
const maxJournalEntries = 200

// note signs an entry and keeps it. It comes before the commit of what it is about: after a crash in between it says
// too much, which does no harm, and never too little.
func (g *group) note(sort string, subject, detail []byte) error {
	return g.self.journal.Add(g.store, g.self.signed(g.now, sort, subject, detail))
}

func (s *self) signed(now time.Time, sort string, subject, detail []byte) *syncv1.JournalEntry {
	e := &syncv1.JournalEntry{Sort: sort, Subject: subject, Detail: detail, At: now.UnixMilli()}
	wire.SealJournalEntry(s.keys.Signing, s.deployment, e)
	return e
}

// takeJournal takes entries that a tablet has carried here, and carries out what they say is erased.
func (s *Service) takeJournal(ctx context.Context, request *syncv1.SyncRequest) error {
	var carried []*syncv1.JournalEntry
	for _, e := range request.GetJournalEntries() {
		if wire.CheckJournalEntry(s.config.Keys.PublicKey(), s.config.Deployment, e) == nil {
			carried = append(carried, e)
		}
	}
	if len(carried) == 0 {
		return nil
	}
	if err := s.write(ctx, func(g *group) error { return g.self.journal.Add(g.store, carried...) }); err != nil {
		return err
	}
	return s.catchUpErasing(ctx)
}

// tellJournal gives a tablet the entries that it lacks; none while the deployment is being erased: the tablet would pull what it drops.
func (s *Service) tellJournal(request *syncv1.SyncRequest, response *syncv1.SyncResponse) {
	if s.self.erasedWhole() && !s.self.carriedOut.Load() {
		return
	}
	entries, next, same := s.config.Journal.After(request.GetJournal(), maxJournalEntries)
	response.JournalEntries, response.Journal, response.SendJournal = entries, next, !same
}

// catchUp carries out what the journal says and the store, set back to an older copy, does not know.
func (s *Service) catchUp(ctx context.Context) error {
	if err := s.catchUpErasing(ctx); err != nil {
		return err
	}
	settle := map[string]func(context.Context, hlc.ID) error{wire.JournalConfirmed: s.settleConfirmed, wire.JournalRevoked: s.settleRevoked}
	for _, sort := range []string{wire.JournalConfirmed, wire.JournalRevoked} {
		for _, e := range s.config.Journal.All(sort) {
			if len(e.GetSubject()) != len(hlc.ID{}) {
				continue
			}
			if err := settle[sort](ctx, hlc.ID(e.GetSubject())); err != nil {
				return err
			}
		}
	}
	return s.write(ctx, func(g *group) error {
		g.accepted = g.head.Ahead != 0 // the operator may have accepted a time since
		return g.follow()
	})
}
