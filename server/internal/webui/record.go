package webui

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

func recordRoutes(r *router) {
	// Who may see no more than records may work on a case: package casefile judges where the record is known.
	r.page(pathIn+"/records/:record", access.SeeRecords, reads((*visit).record))
	r.page(pathIn+"/arrivals/:position", access.SeeRecords, (*visit).arrival)
}

// recordBody is what the page of a record shows.
type recordBody struct {
	// Team is whose it is; empty for the whole deployment's.
	Team string
	Tags []tag
	// Missing are the fields without which it is a draft.
	Missing string
	Above   []link
	Below   []belowRow
	Further string
	Fields  []fieldRow
	// Lapsed says what changed since it was approved; empty while the approval holds.
	Lapsed string
	// Joined leads to the comparison with the record that this one is said to be the same as; empty when there is none, or the
	// visitor may not say otherwise.
	Joined string
	Events []eventRow
}

// tag is a word that tells how something stands, and how it looks: good, warn, bad, off or nothing.
type tag struct{ Name, Look string }

// belowRow are the records of one kind that belong to a record.
type belowRow struct {
	Kind    string
	Entries []link
}

// fieldRow is a field, and who set it.
type fieldRow struct {
	Label  string
	Values []link // without an address where there is nothing to open
	By     string
	At     time.Time
	From   *link
}

// eventRow is something that happened to a record, or was said of it.
type eventRow struct {
	At   time.Time
	What string
	Look string
	By   string
	// From is the tablet that it came from, and leads to how it came.
	From *link
	// Fields are those that were set.
	Fields string
	// Late says that it came after the record was reviewed.
	Late string
	// Note is what somebody wrote.
	Note string
}

func (v *visit) toRecord(id hlc.ID) string {
	return to(v.within.Syncing.Deployment(), "records", id.String())
}

// reader is the visitor as one who reads casework.
func (v *visit) reader() casefile.Reader {
	return casefile.Reader{Person: v.person, Actor: v.session.Actor(v.within.Syncing.Deployment()), May: func(access.Action) bool { return true }}
}

// record shows a record: its fields, what stands around it and its history.
func (v *visit) record() error {
	id, err := v.id("record")
	if err != nil {
		return err
	}
	f, err := v.within.Casefile.File(v.context(), v.reader(), id)
	if err != nil {
		return err
	}
	terms := v.terms()
	return v.show("record", &page{Title: v.entryName(terms, f.Self), Body: struct{ Record recordBody }{v.recordBody(terms, f)}})
}

// entryName is what people call a record: by its kind, and its name or else its day.
func (v *visit) entryName(t *words.Terms, e casefile.Entry) string {
	kind := t.KindLabel(e.Kind)
	switch {
	case e.Name != "":
		return v.T("record_named", kind, e.Name)
	case e.Day.Valid():
		return v.T("record_of_day", kind, v.Date(e.Day))
	default:
		return kind
	}
}

func (v *visit) recordBody(t *words.Terms, f casefile.File) recordBody {
	b := recordBody{Team: f.Team.Name, Tags: v.recordTags(f), Missing: v.List(v.fieldNames(t, f.Kind, f.Missing))}
	entry := func(e casefile.Entry) link { return link{To: v.To(v.toRecord(e.ID)), Name: v.entryName(t, e)} }
	for _, e := range slices.Backward(f.Above) {
		b.Above = append(b.Above, entry(e))
	}
	for _, e := range f.Below {
		kind := t.KindLabel(e.Kind)
		if len(b.Below) == 0 || b.Below[len(b.Below)-1].Kind != kind {
			b.Below = append(b.Below, belowRow{Kind: kind})
		}
		last := &b.Below[len(b.Below)-1]
		one := entry(e)
		if e.Author.Name != "" {
			one.Name = v.T("record_by", one.Name, e.Author.Name)
		}
		if e.Deleted {
			one.Name = v.T("record_deleted", one.Name)
		}
		last.Entries = append(last.Entries, one)
	}
	if f.Further > 0 {
		b.Further = v.N("further_below", int64(f.Further))
	}
	common := func(one casefile.Field) int {
		if one.Of == nil || words.IsCommon(one.Of) {
			return 1
		}
		return 0
	}
	for _, one := range slices.SortedStableFunc(slices.Values(f.Fields), func(a, b casefile.Field) int { return common(a) - common(b) }) {
		if row, ok := v.fieldRow(t, f, one); ok {
			b.Fields = append(b.Fields, row)
		}
	}
	if len(f.Reviews) > 0 && lapsed(f.Reviews[0]) {
		b.Lapsed = v.T("lapsed", v.Time(f.Reviews[0].At), v.List(v.fieldNames(t, f.Kind, f.Reviews[0].Changed)))
	}
	b.Joined = v.toJoined(f)
	b.Events = v.recordEvents(t, f)
	return b
}

// toJoined leads to the comparison of a record with the one that it is said to be the same as, for who may take that back.
func (v *visit) toJoined(f casefile.File) string {
	for _, one := range f.Fields {
		if one.Name != "duplicate_of" || !one.Plain.IsValid() {
			continue
		}
		if same, ok := f.Named[idOf(one.Plain.Bytes())]; ok && same.Kind == f.Kind && v.may(access.ReviewRecords, f.Team.ID) {
			return v.To(v.toIn("duplicates", f.ID.String(), same.ID.String()))
		}
	}
	return ""
}

// lapsed reports whether a review approved something that is not any more as it was.
func lapsed(r casefile.Review) bool {
	return r.Outcome == recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED && len(r.Changed) > 0
}

// recordTags tell how a record stands.
func (v *visit) recordTags(f casefile.File) (tags []tag) {
	if f.Deleted {
		tags = append(tags, tag{v.T("state_deleted"), "off"})
	}
	if len(f.Missing) > 0 {
		tags = append(tags, tag{v.T("state_draft"), "warn"})
	}
	if len(f.Reviews) == 0 {
		return tags
	}
	switch newest := f.Reviews[0]; {
	case lapsed(newest):
		tags = append(tags, tag{v.T("state_lapsed"), "warn"})
	case newest.Outcome == recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED:
		tags = append(tags, tag{v.T("state_approved"), "good"})
	case newest.Outcome == recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED && newest.Answered:
		tags = append(tags, tag{v.T("state_answered"), "warn"})
	case newest.Outcome == recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED:
		tags = append(tags, tag{v.T("state_returned"), "bad"})
	}
	return tags
}

// fieldNames are what people call fields of a kind, given their own names.
func (v *visit) fieldNames(t *words.Terms, k record.Kind, names []string) (all []string) {
	for _, name := range names {
		all = append(all, v.fieldName(t, k, name))
	}
	return all
}

func (v *visit) fieldName(t *words.Terms, k record.Kind, name string) string {
	if record.Known(k) {
		f := record.New(k).ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(name))
		if f != nil && t.Field(f) != "" {
			return t.Field(f)
		}
	}
	return v.T("newer_field", name)
}

// fieldRow is a field as its page shows it; false for what is for programs.
func (v *visit) fieldRow(t *words.Terms, of casefile.File, f casefile.Field) (fieldRow, bool) {
	if f.Name == "reviewed" || of.Kind == recordv1.Kind_KIND_CONFLICT && f.Of == nil {
		return fieldRow{}, false
	}
	row := fieldRow{Label: v.fieldName(t, of.Kind, f.Name), By: v.whose(f.By), At: f.At, From: v.from(of, f.From, f.Position)}
	switch {
	case f.Of == nil:
		row.Values = []link{{Name: v.T("newer_value")}}
	case !f.Plain.IsValid(): // people by their codes
		n, _ := f.Value.(int)
		row.Values = []link{{Name: v.N("people_by_code", int64(n))}}
	case words.FormOf(f.Of) == words.Reference && f.Of.IsList():
		for i := range f.Plain.List().Len() {
			row.Values = append(row.Values, v.named(t, of, f.Plain.List().Get(i).Bytes()))
		}
	case words.FormOf(f.Of) == words.Reference:
		row.Values = []link{v.named(t, of, f.Plain.Bytes())}
	default:
		row.Values = []link{{Name: v.value(t, f.Of, f.Plain, func(id []byte) string { return v.named(t, of, id).Name })}}
	}
	return row, true
}

// named is what people call the record that a field names, and where its page is.
func (v *visit) named(t *words.Terms, of casefile.File, b []byte) link {
	id, setUp := idOf(b), v.within.Syncing.SetUp()
	if name := cmp.Or(setUp.Workers[id].GetName(), setUp.Teams[id].GetName(), setUp.Sites[id].GetName()); name != "" {
		return link{Name: name}
	}
	if e, ok := of.Named[id]; ok {
		return link{To: v.To(v.toRecord(id)), Name: v.entryName(t, e)}
	}
	return link{Name: v.T("record_hidden")}
}

// whose is who did something; the server itself where nobody did.
func (v *visit) whose(by progress.Named) string {
	if by.ID == (hlc.ID{}) {
		return v.T("by_server")
	}
	return cmp.Or(by.Name, v.T("by_somebody"))
}

// from is the tablet from which something of a record came, and leads to how it came; nil where none did.
func (v *visit) from(of casefile.File, tablet progress.Named, position uint64) *link {
	if tablet.ID == (hlc.ID{}) {
		return nil
	}
	l := &link{Name: cmp.Or(tablet.Name, v.T("tablet_without_name"))}
	// Who sees a record for working on its case alone is not told of the rest of what came with it.
	if position != 0 && v.may(access.Seeing(of.Kind), of.Team.ID) {
		l.To = v.To(to(v.within.Syncing.Deployment(), "arrivals", strconv.FormatUint(position, 10)))
	}
	return l
}

// happened are the messages that say what happened to a record.
var happened = map[string]string{"made": "event_made", "edited": "event_edited", "deleted": "event_deleted", "restored": "event_restored", "given_back": "event_given_back",
	"held": "event_held", "discarded": "event_discarded", "erased": "event_erased"}

// recordEvents are what happened to a record and what was said of it, the newest first.
func (v *visit) recordEvents(t *words.Terms, f casefile.File) []eventRow {
	var rows []eventRow
	for _, one := range f.Reviews {
		row := eventRow{At: one.At, By: v.whose(one.By), Note: one.Comment}
		switch one.Outcome {
		case recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED:
			row.What, row.Look = v.T("event_approved"), "good"
		default:
			row.What, row.Look = v.T("event_returned"), "bad"
		}
		var reasons []string
		for _, reason := range one.Reasons {
			reasons = append(reasons, choice(t, reason))
		}
		row.Fields = v.List(reasons)
		rows = append(rows, row)
	}
	for _, e := range slices.Backward(f.History) {
		row := eventRow{At: e.At, What: v.T(happened[e.What]), By: v.whose(e.By), From: v.from(f, e.From, e.Position), Fields: v.List(v.fieldNames(t, f.Kind, e.Fields))}
		if e.At.IsZero() {
			row.At = e.Received
		}
		if e.What == "given_back" && e.By.ID == (hlc.ID{}) {
			row.By = ""
		}
		if e.Code != "" {
			row.Look, row.Note = "warn", v.because(e.Code)
		}
		if slices.Contains(f.Late, e.Position) {
			row.Late = v.T("after_review", v.Time(f.Reviews[0].At))
			if lapsed(f.Reviews[0]) && slices.ContainsFunc(e.Fields, func(name string) bool { return slices.Contains(f.Reviews[0].Changed, name) }) {
				row.Late = v.T("ended_approval", v.Time(f.Reviews[0].At))
			}
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b eventRow) int { return b.At.Compare(a.At) })
	return rows
}
