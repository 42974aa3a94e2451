package webui

import (
	"net/url"

	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/indexing"
	"levee/server/internal/review"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// duplicates lists the records that are likely of one thing.
func (v *visit) duplicates() error {
	q := indexing.LikelyQuery{Teams: v.cut(access.ReviewRecords), Limit: settlePage}
	earlier, _ := uuid.Parse(v.QueryParam("earlier")) // else the first page
	later, _ := uuid.Parse(v.QueryParam("later"))
	day, _ := record.ParseDate(v.QueryParam("day"))
	q.After = indexing.PairPlace{Day: day, Earlier: earlier, Later: later}
	pairs, err := v.within.Indexing.Likely(v.context(), q)
	if err != nil {
		return err
	}
	t := v.terms()
	body := waitingList{Lead: v.T("duplicates_lead"), Nothing: v.T("no_duplicates")}
	for _, p := range pairs {
		body.Rows = append(body.Rows, waitingRow{To: v.To(v.toIn("duplicates", p.Earlier.String(), p.Later.String())), Name: t.KindLabel(p.Kind), What: t.Date(p.Day), Team: v.calledBy(p.Audience[:])})
	}
	if n := len(pairs); n == settlePage {
		last := pairs[n-1]
		body.More = v.To(v.toIn("duplicates") + "?" + url.Values{"day": {last.Day.String()}, "earlier": {last.Earlier.String()}, "later": {last.Later.String()}}.Encode())
	}
	return v.settleList(v.T("nav_duplicates"), body)
}

// compared is one field of two records, or of a record as it stands and as a held change would have it.
type compared struct {
	Field, One, Other string
	Differs           bool
}

// duplicate shows two records side by side, and takes whether they are of one thing.
func (v *visit) duplicate() error { return v.settlePair("") }

// pairAsked are the two records of the address.
func (v *visit) pairAsked() (pair [2]review.Alike, err error) {
	earlier, err := v.id("earlier")
	if err != nil {
		return pair, err
	}
	later, err := v.id("later")
	if err != nil {
		return pair, err
	}
	return v.within.Review.Pair(v.context(), v.reader(), earlier, later)
}

// settlePair shows a pair as it stands, or settles it; wrong is what became of the last try.
func (v *visit) settlePair(wrong string) error {
	pair, err := v.pairAsked()
	if err != nil {
		return err
	}
	f := v.form("submit_settle").add(position("earlier_seen", pair[0].Position), position("later_seen", pair[1].Position),
		&field{Name: "same", Sort: "radio", Required: true, Options: []option{{"earlier", v.T("same_earlier")}, {"later", v.T("same_later")}, {"apart", v.T("same_apart")}}},
		&field{Name: "reason"})
	if wrong == "" && v.filled(f) {
		switch f.value("same") {
		case "earlier":
			err = v.within.Review.Join(v.context(), v.reader(), pair[0].ID, review.Seen{ID: pair[1].ID, Position: seenIn(f, "later_seen")})
		case "later":
			err = v.within.Review.Join(v.context(), v.reader(), pair[1].ID, review.Seen{ID: pair[0].ID, Position: seenIn(f, "earlier_seen")})
		default:
			err = v.within.Review.Apart(v.context(), v.reader(), pair[0].ID, pair[1].ID, f.value("reason"))
		}
		switch {
		case err == nil:
			return v.done(v.toIn("duplicates"), "settled")
		case problem.CodeOf(err) == problem.ChangedMeanwhile:
			return v.settlePair(problem.Message(problem.ChangedMeanwhile, v.Lang()))
		}
		if f.Error, err = v.whyNot(err); err != nil {
			return err
		}
	}
	if wrong != "" {
		f.Error = wrong
	}
	t := v.terms()
	body := struct {
		Back string
		Rows []compared
		// Joined says which of the two counts, and Separate leads to taking that back; empty while they are two.
		Joined, Separate string
		// Counts says what becomes of the numbers when they are joined.
		Counts []string
	}{Back: v.To(v.toIn("duplicates")), Counts: []string{v.T("joined_once")}}
	if which, ok := dropped(pair); ok {
		body.Joined, body.Separate = v.T(counting[1-which]), v.To(v.toPair(pair), "/separation")
	}
	if more, ok := joinedStill[pair[0].Kind]; ok {
		body.Counts = append(body.Counts, v.T(more))
	}
	for _, field := range words.Settable(pair[0].Kind) {
		one, other := pair[0].Message.ProtoReflect(), pair[1].Message.ProtoReflect()
		if !one.Has(field) && !other.Has(field) {
			continue
		}
		row := compared{Field: t.Field(field), One: v.valueOf(t, pair[0].Message, field), Other: v.valueOf(t, pair[1].Message, field)}
		row.Differs = !one.Get(field).Equal(other.Get(field))
		body.Rows = append(body.Rows, row)
	}
	return v.show("duplicate", &page{Title: v.T("title_duplicate", t.KindLabel(pair[0].Kind)), Form: f, Body: body})
}

// joinedStill are the messages that say what still adds up of what belongs to two records which are joined.
var joinedStill = map[record.Kind]string{
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY: "joined_heads",
	recordv1.Kind_KIND_GROUP_SESSION:      "joined_heads",
	recordv1.Kind_KIND_OUTREACH:           "joined_heads",
	recordv1.Kind_KIND_CASE:               "joined_sessions",
	recordv1.Kind_KIND_GROUP:              "joined_sessions",
}

// counting are the messages that say which of a pair counts.
var counting = [2]string{"counts_earlier", "counts_later"}

// dropped is which of a pair is said to be the same as the other; false when neither is.
func dropped(pair [2]review.Alike) (which int, ok bool) {
	if pair[0].Same == pair[1].ID {
		return 0, true
	}
	return 1, pair[1].Same == pair[0].ID
}

func (v *visit) toPair(pair [2]review.Alike) string {
	return v.toIn("duplicates", pair[0].ID.String(), pair[1].ID.String())
}

// separatePair takes back that two records are of one thing.
func (v *visit) separatePair() error {
	pair, err := v.pairAsked()
	if err != nil {
		return err
	}
	which, ok := dropped(pair)
	if !ok {
		return v.done(v.toPair(pair), "")
	}
	f := v.form("submit_separate").add(position("seen", pair[which].Position))
	consequences := []string{v.T("separate_counts"), v.T("separate_asked")}
	return v.sure(v.T("title_separate", v.terms().KindLabel(pair[0].Kind)), consequences, v.toPair(pair), f, func() error {
		if err := v.within.Review.Unjoin(v.context(), v.reader(), review.Seen{ID: pair[which].ID, Position: seenIn(f, "seen")}); err != nil {
			return err
		}
		return v.done(v.toPair(pair), "separated")
	})
}
