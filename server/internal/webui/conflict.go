package webui

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/progress"
	"levee/server/internal/review"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

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
		return v.value(t, f, m.ProtoReflect().Get(f), v.calledBy)
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
