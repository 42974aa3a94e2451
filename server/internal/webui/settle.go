package webui

import (
	"errors"
	"net/url"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/review"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

func settleRoutes(r *router) {
	r.section(pathIn+"/conflicts", "nav_settle", access.SeeConflicts, pathIn+"/duplicates", pathIn+"/held")
	r.page(pathIn+"/conflicts", access.SeeConflicts, (*visit).conflicts)
	r.form(pathIn+"/conflicts/:conflict", access.SeeConflicts, (*visit).conflict)
	r.page(pathIn+"/duplicates", access.ReviewRecords, (*visit).duplicates)
	r.form(pathIn+"/duplicates/:earlier/:later", access.ReviewRecords, (*visit).duplicate)
	r.page(pathIn+"/held", access.SeeHeld, (*visit).heldChanges)
	r.form(pathIn+"/held/:change", access.SeeHeld, (*visit).heldChange)
}

// toIn is a path within the deployment.
func (v *visit) toIn(parts ...string) string { return to(v.within.Syncing.Deployment(), parts...) }

// settleTabs lead to the lists of what is to be settled.
func (v *visit) settleTabs() []link {
	var tabs []link
	for _, one := range []struct {
		path, name string
		rule       rule
	}{{"conflicts", v.T("nav_conflicts"), access.SeeConflicts}, {"duplicates", v.T("nav_duplicates"), access.ReviewRecords}, {"held", v.T("nav_held"), access.SeeHeld}} {
		if v.may(one.rule, access.Everyone) {
			tabs = append(tabs, link{To: v.To(v.toIn(one.path)), Name: one.name, Here: v.route.path == pathIn+"/"+one.path})
		}
	}
	return tabs
}

// waitingRow is one thing that waits to be settled.
type waitingRow struct{ To, Name, What, Team, Who, When string }

// waitingList is a page of them.
type waitingList struct {
	Lead, Nothing string
	Rows          []waitingRow
	// More is where the next page is; empty on the last one.
	More string
}

// settlePage is how many rows a page has.
const settlePage = 50

func (v *visit) settleList(title string, body waitingList) error {
	return v.show("waiting", &page{Title: title, Links: v.settleTabs(), Body: body})
}

// conflicts lists the conflicts that nobody has settled.
func (v *visit) conflicts() error {
	after, _ := uuid.Parse(v.QueryParam("after")) // else the first page
	found, next, err := v.within.Progress.Conflicts(v.context(), progress.Page[hlc.ID]{After: after, Limit: settlePage, Sees: func(team hlc.ID) bool { return v.may(access.SeeConflicts, team) }})
	if err != nil {
		return err
	}
	t := v.terms()
	body := waitingList{Lead: v.T("conflicts_lead"), Nothing: v.T("no_conflicts")}
	for _, c := range found {
		row := waitingRow{To: v.To(v.toIn("conflicts", c.ID.String())), Name: t.KindLabel(c.TargetKind), What: fieldLabel(t, c.TargetKind, c.Field), Team: c.Team.Name}
		var who []string
		for _, side := range c.Sides {
			if name := v.workerName(side.Author.ID); !slices.Contains(who, name) {
				who = append(who, name)
			}
			row.When = v.Time(side.At)
		}
		row.Who = t.List(who)
		body.Rows = append(body.Rows, row)
	}
	if next != (hlc.ID{}) {
		body.More = v.To(v.toIn("conflicts") + "?" + url.Values{"after": {next.String()}}.Encode())
	}
	return v.settleList(v.T("nav_conflicts"), body)
}

// fieldLabel is what a field is called, by its name; the name itself where this program does not know it.
func fieldLabel(t *words.Terms, kind record.Kind, name string) string {
	if m := record.New(kind); m != nil {
		if f := m.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(name)); f != nil {
			return t.Field(f)
		}
	}
	return name
}

// workerName is what a worker is called.
func (v *visit) workerName(id hlc.ID) string {
	if w := v.within.Syncing.SetUp().Workers[id]; w != nil {
		return w.GetName()
	}
	return v.T("somebody")
}

// calledBy is what a record is called that a field names: those of the set-up by their names.
func (v *visit) calledBy(id []byte) string {
	if len(id) != len(hlc.ID{}) {
		return v.T("another_record")
	}
	setUp := v.within.Syncing.SetUp()
	switch key := hlc.ID(id); {
	case setUp.Workers[key] != nil:
		return setUp.Workers[key].GetName()
	case setUp.Teams[key] != nil:
		return setUp.Teams[key].GetName()
	case setUp.Sites[key] != nil:
		return setUp.Sites[key].GetName()
	default:
		return v.T("another_record")
	}
}

// valueOf is the value of a field in a message as people read it.
func (v *visit) valueOf(t *words.Terms, m record.Common, f protoreflect.FieldDescriptor) string {
	switch {
	case m == nil || f == nil:
		return v.T("value_newer")
	case !m.ProtoReflect().Has(f):
		return v.T("value_empty")
	case words.FormOf(f) == words.Code: // what people are known by says nothing to people
		return v.T("value_code")
	default:
		return t.Value(f, m.ProtoReflect().Get(f), v.calledBy)
	}
}

// sideRow is one value of a conflict.
type sideRow struct {
	Value, Who, When, Before string
	Stands                   bool
}

// conflict shows both values of a conflict, and takes what is to stand.
func (v *visit) conflict() error {
	id, err := v.id("conflict")
	if err != nil {
		return err
	}
	return v.settleConflict(id, "")
}

// settleConflict shows a conflict as it stands, or settles it; wrong is what became of the last try.
func (v *visit) settleConflict(id hlc.ID, wrong string) error {
	c, err := v.within.Review.Conflict(v.context(), v.reader(), id)
	if err != nil {
		return err
	}
	f := v.conflictForm(c)
	if wrong == "" && v.filled(f) {
		settlement := review.Settlement{Conflict: review.Seen{ID: c.ID, Position: seenIn(f, "conflict_seen")}, Target: review.Seen{ID: c.Target.ID, Position: seenIn(f, "target_seen")}}
		switch keep := f.value("keep"); keep {
		case "stands":
		case "other":
			settlement.Value = v.otherValue(c, f)
		default:
			settlement.Side, _ = strconv.Atoi(keep) // one of those that were offered
		}
		if f.ok() {
			err := v.within.Review.Settle(v.context(), v.reader(), settlement)
			switch {
			case err == nil:
				return v.done(v.toIn("conflicts"), "settled")
			case problem.CodeOf(err) == problem.ChangedMeanwhile:
				return v.settleConflict(id, problem.Message(problem.ChangedMeanwhile, v.Lang()))
			}
			if f.Error, err = v.whyNot(err); err != nil {
				return err
			}
		}
	}
	if wrong != "" {
		f.Error = wrong
	}
	return v.showConflict(c, f)
}

// whyNot is what people are told of an error that a form may show; the error itself when it may not.
func (v *visit) whyNot(err error) (string, error) {
	var invalid *record.Problem
	if errors.As(err, &invalid) {
		return record.Message(invalid.Code, v.Lang()), nil
	}
	if code := problem.CodeOf(err); code == problem.InvalidArgument || code == problem.ChangedMeanwhile {
		return problem.Message(code, v.Lang()), nil
	}
	return "", err
}

func seenIn(f *form, name string) uint64 {
	n, _ := strconv.ParseUint(f.value(name), 10, 64) // 0 is refused as not shown
	return n
}

func position(name string, n uint64) *field {
	return &field{Name: name, Label: name, Sort: "hidden", Value: strconv.FormatUint(n, 10)}
}

func (v *visit) conflictForm(c *review.Conflict) *form {
	t := v.terms()
	f := v.form("submit_settle").add(position("conflict_seen", c.Position), position("target_seen", c.Target.Position))
	keep := &field{Name: "keep", Sort: "radio", Required: true}
	stands := false
	for i, side := range c.Sides {
		stands = stands || side.Stands
		keep.Options = append(keep.Options, option{strconv.Itoa(i + 1), v.T("keep_side", v.sideValue(t, c, side.Value), v.workerName(side.Author))})
	}
	if !stands {
		keep.Options = append(keep.Options, option{"stands", v.T("keep_standing", v.sideValue(t, c, c.Standing))})
	}
	f.add(keep)
	if other := v.otherField(t, c); other != nil {
		keep.Options = append(keep.Options, option{"other", v.T("keep_other")})
		f.add(other)
	}
	return f
}

// sideValue is a value of a conflict as people read it.
func (v *visit) sideValue(t *words.Terms, c *review.Conflict, value review.Value) string {
	if !c.Deletion() {
		return v.valueOf(t, value.Common, c.Of)
	}
	if value.Common != nil && value.GetDeleted() {
		return v.T("value_deleted")
	}
	return v.T("value_kept")
}

// otherField is where another value is written; nil where none can be.
func (v *visit) otherField(t *words.Terms, c *review.Conflict) *field {
	if !c.Writable() {
		return nil
	}
	other := &field{Name: "other"}
	switch words.FormOf(c.Of) {
	case words.Text:
	case words.Number:
		other.Mode = "numeric"
	case words.Date:
		other.Sort = "date"
	case words.YesOrNo:
		other.Sort, other.Options = "select", []option{{"yes", v.T("value_yes")}, {"no", v.T("value_no")}}
	case words.Choice:
		other.Sort = "select"
		for _, o := range t.Options(c.Of.Enum()) {
			other.Options = append(other.Options, option{strconv.Itoa(int(o.Number)), o.Label})
		}
	default:
		return nil
	}
	return other
}

// otherValue is the value that was written; what is wrong with it is told at its field.
func (v *visit) otherValue(c *review.Conflict, f *form) review.Value {
	typed := f.value("other")
	m := record.New(c.Kind)
	if typed == "" {
		f.wrong("other", v.T("wrong_missing"))
		return review.Value{Common: m}
	}
	var value protoreflect.Value
	var err error
	switch words.FormOf(c.Of) {
	case words.Date:
		var day record.Date
		day, err = record.ParseDate(typed)
		value = protoreflect.ValueOfInt32(int32(day))
	case words.YesOrNo:
		value = protoreflect.ValueOfBool(typed == "yes")
	case words.Choice:
		var n int
		n, err = strconv.Atoi(typed)
		value = protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)) //nolint:gosec // one of those that were offered
	case words.Number:
		var n int64
		n, err = strconv.ParseInt(typed, 10, 32)
		switch {
		case c.Of.Kind() == protoreflect.Uint32Kind && n < 0:
			err = strconv.ErrRange
		case c.Of.Kind() == protoreflect.Uint32Kind:
			value = protoreflect.ValueOfUint32(uint32(n)) //nolint:gosec // bounded above
		default:
			value = protoreflect.ValueOfInt32(int32(n))
		}
	default:
		value = protoreflect.ValueOfString(typed)
	}
	if err != nil {
		f.wrong("other", v.T("wrong_value"))
		return review.Value{Common: m}
	}
	m.ProtoReflect().Set(c.Of, value)
	return review.Value{Common: m}
}

func (v *visit) showConflict(c *review.Conflict, f *form) error {
	t := v.terms()
	body := struct {
		Back, What, Team, Standing string
		Sides                      []sideRow
		Settled, May               bool
	}{Back: v.To(v.toIn("conflicts")), What: v.T("conflict_deletion"), Team: v.calledBy(c.Team[:]), Standing: v.sideValue(t, c, c.Standing), Settled: c.Settled, May: v.may(access.SettleConflict, c.Team) && !c.Settled}
	if c.Of != nil && !c.Deletion() {
		body.What = t.Field(c.Of)
	}
	for _, side := range c.Sides {
		row := sideRow{Value: v.sideValue(t, c, side.Value), Who: v.workerName(side.Author), When: v.Time(side.At), Before: v.T("value_forgotten"), Stands: side.Stands}
		if side.Before != nil {
			row.Before = v.sideValue(t, c, *side.Before)
		}
		body.Sides = append(body.Sides, row)
	}
	return v.show("conflict", &page{Title: v.T("title_conflict", t.KindLabel(c.Kind), body.What), Form: f, Body: body})
}

// duplicates lists the records that are likely of one thing.
func (v *visit) duplicates() error {
	q := indexing.LikelyQuery{Limit: settlePage}
	if all, some := access.Teams(v.person, access.ReviewRecords); !all {
		q.Teams = some
	}
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
func (v *visit) duplicate() error {
	earlier, err := v.id("earlier")
	if err != nil {
		return err
	}
	later, err := v.id("later")
	if err != nil {
		return err
	}
	return v.settlePair(earlier, later, "")
}

func (v *visit) settlePair(earlier, later hlc.ID, wrong string) error {
	pair, err := v.within.Review.Pair(v.context(), v.reader(), earlier, later)
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
			return v.settlePair(earlier, later, problem.Message(problem.ChangedMeanwhile, v.Lang()))
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
	}{Back: v.To(v.toIn("duplicates"))}
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

// heldChanges lists the changes that came and are not applied.
func (v *visit) heldChanges() error {
	after, _ := strconv.ParseUint(v.QueryParam("after"), 10, 64) // else the first page
	found, next, err := v.within.Progress.Held(v.context(), progress.Page[uint64]{After: after, Limit: settlePage, Sees: func(team hlc.ID) bool { return v.may(access.SeeHeld, team) }})
	if err != nil {
		return err
	}
	t := v.terms()
	body := waitingList{Lead: v.T("held_lead"), Nothing: v.T("no_held")}
	for _, h := range found {
		row := waitingRow{To: v.To(v.toIn("held", h.Change.String())), Name: v.T("unreadable"), What: record.Message(h.Code, v.Lang()), Team: h.Team.Name, Who: v.workerName(h.Worker.ID), When: v.Time(h.Received)}
		if record.Known(h.Kind) {
			row.Name = t.KindLabel(h.Kind)
		}
		body.Rows = append(body.Rows, row)
	}
	if next != 0 {
		body.More = v.To(v.toIn("held") + "?" + url.Values{"after": {strconv.FormatUint(next, 10)}}.Encode())
	}
	return v.settleList(v.T("nav_held"), body)
}

// heldChange shows why a change is held and what it would do, and takes what is to become of it.
func (v *visit) heldChange() error {
	id, err := v.id("change")
	if err != nil {
		return err
	}
	h, err := v.within.Review.Held(v.context(), v.reader(), id)
	if err != nil {
		return err
	}
	f := v.form("submit_decide").add(&field{Name: "decision", Sort: "radio", Required: true, Options: []option{{"release", v.T("decision_release")}, {"discard", v.T("decision_discard")}}},
		&field{Name: "reason", Required: true})
	if v.filled(f) {
		decision, done := recordv1.Decision_DECISION_DISCARD, "discarded"
		if f.value("decision") == "release" {
			decision, done = recordv1.Decision_DECISION_RELEASE, "released"
		}
		err := v.within.Review.Decide(v.context(), v.reader(), id, decision, f.value("reason"))
		switch problem.CodeOf(err) {
		case problem.InvalidArgument:
			f.Error = v.T("wrong_decision")
		default:
			if err != nil {
				return err
			}
		}
		if err == nil {
			return v.done(v.toIn("held"), done)
		}
	}
	return v.showHeld(h, f)
}

func (v *visit) showHeld(h *review.Held, f *form) error {
	t := v.terms()
	body := struct {
		Back, Why, Who, Tablet, Received, Made string
		Makes, Hidden, May                     bool
		Rows                                   []compared
	}{Back: v.To(v.toIn("held")), Why: record.Message(h.Code, v.Lang()), Who: v.workerName(h.Worker), Tablet: h.Tablet, Received: v.Time(h.Received), Makes: h.Makes, Hidden: h.Message == nil,
		May: v.may(access.DecideHeld, v.within.Syncing.Person(h.Worker).Team)}
	if !h.Made.IsZero() {
		body.Made = v.Time(h.Made)
	}
	title := v.T("unreadable")
	if record.Known(h.Kind) {
		title = t.KindLabel(h.Kind)
	}
	if h.Message != nil {
		for _, field := range words.Settable(h.Kind) {
			if !h.Message.ProtoReflect().Has(field) && !slices.Contains(h.Cleared, field.Number()) {
				continue
			}
			row := compared{Field: t.Field(field), Other: v.valueOf(t, h.Message, field)}
			if h.Standing != nil && record.KindOf(h.Standing) == h.Kind {
				row.One = v.valueOf(t, h.Standing, field)
			}
			body.Rows = append(body.Rows, row)
		}
		if h.Message.GetDeleted() {
			body.Rows = append(body.Rows, compared{Field: v.T("value_whole"), Other: v.T("value_deleted")})
		}
	}
	return v.show("held", &page{Title: v.T("title_held", title), Form: f, Body: body})
}
