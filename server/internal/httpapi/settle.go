package httpapi

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/indexing"
	"levee/server/internal/review"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// mountSettling adds the routes that show what is to be settled, which is noted as a reading, and by which it is. Held changes are
// decided upon in decide.go.
func (a *api) mountSettling(h huma.API) {
	routeAt(h, access.SeeConflicts, "conflict", "/api/conflicts/{conflict}", "One conflict with both values: who filled them in, when, and what each had seen. Each reading is noted in the audit log", a.conflict)
	post(h, access.SettleConflict, "settle", "/api/conflicts/{conflict}/settlement", "Settle a conflict: keep one of its values, what stands now, or write another. Nobody is overwritten who was not seen", a.settle)
	routeAt(h, access.SeeHeld, "held-change", "/api/held/{change}", "One held change: why it is held, and what it would change. Each reading is noted in the audit log", a.heldChange)
	routeAt(h, access.ReviewRecords, "duplicates", "/api/duplicates", "Pairs of records that are likely of one thing, the newest day first", a.duplicates)
	routeAt(h, access.ReviewRecords, "duplicate", "/api/duplicates/{earlier}/{later}", "Two records side by side. Each reading is noted in the audit log", a.duplicate)
	post(h, access.ReviewRecords, "join-or-distinguish", "/api/duplicates/{earlier}/{later}/decision", "Join two records that are of one thing, so that it counts once, or say that they are of different things", a.decideDuplicate)
	post(h, access.ReviewRecords, "separate", "/api/records/{id}/separation", "Take back that a record is the same as another one: it counts again. Of one that is not, that is no error", a.separate)
}

type conflictBody struct {
	ID         string          `json:"id" format:"uuid"`
	Seen       uint64          `json:"seen" doc:"What the settlement says it was shown with."`
	Record     string          `json:"record" format:"uuid"`
	RecordSeen uint64          `json:"record_seen" doc:"The same, of the record."`
	Kind       string          `json:"kind" doc:"Of the record." example:"case_session"`
	Team       namedView       `json:"team"`
	Field      string          `json:"field" doc:"Its name; its number where only a newer program knows it." example:"minutes"`
	Settled    bool            `json:"settled"`
	Writable   bool            `json:"writable" doc:"Whether another value than those of the sides may be written."`
	Standing   any             `json:"standing,omitempty" doc:"The value that stands now; absent when the field is empty."`
	Sides      []conflictValue `json:"sides" nullable:"false" doc:"The oldest first. They count from 1."`
}

type conflictValue struct {
	Value  any       `json:"value,omitempty" doc:"As in a record's fields; absent when the field is empty. Of a conflict about a deletion: whether the record is deleted."`
	Author namedView `json:"author"`
	At     time.Time `json:"at"`
	Before any       `json:"before,omitempty" doc:"What its author had seen there; absent when that was nothing, or is no longer known."`
	Stands bool      `json:"stands"`
}

// OfConflict names one conflict.
type OfConflict struct {
	Scope
	Conflict string `path:"conflict" format:"uuid" doc:"Id of the conflict, as /api/conflicts has it."`
}

func (a *api) conflict(ctx context.Context, in *OfConflict) (*answer[conflictBody], error) {
	return noted(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader, _ string) (conflictBody, error) {
		id, _ := uuid.Parse(in.Conflict) // validated
		c, err := d.Review.Conflict(ctx, by, id)
		if err != nil {
			return conflictBody{}, err
		}
		setUp := d.Syncing.SetUp()
		body := conflictBody{ID: in.Conflict, Seen: c.Position, Record: c.Target.ID.String(), RecordSeen: c.Target.Position, Kind: kindText(c.Kind), Team: teamIn(setUp, c.Team),
			Field: fieldText(c.Kind, c.Field), Settled: c.Settled, Writable: c.Writable(), Standing: valueIn(c, c.Standing), Sides: []conflictValue{}}
		for _, side := range c.Sides {
			view := conflictValue{Value: valueIn(c, side.Value), Author: workerIn(setUp, side.Author), At: side.At.UTC(), Stands: side.Stands}
			if side.Before != nil {
				view.Before = valueIn(c, *side.Before)
			}
			body.Sides = append(body.Sides, view)
		}
		return body, nil
	})
}

// noted answers with what is noted as a reading, so that nobody is told that they have the answer already.
func noted[B any](ctx context.Context, a *api, s Scope, read func(*Deployment, casefile.Reader, string) (B, error)) (*answer[B], error) {
	lang := languageOf(s.AcceptLanguage)
	out, err := ask(ctx, a, s, func(d *Deployment, by casefile.Reader) (B, error) { return read(d, by, lang) })
	if err != nil {
		return nil, err
	}
	return &answer[B]{Status: http.StatusOK, Language: lang, Body: out.Body}, nil
}

// fieldText is the name of a field; its number where only a newer program knows it.
func fieldText(kind record.Kind, number protowire.Number) string {
	if m := record.New(kind); m != nil {
		if f := m.ProtoReflect().Descriptor().Fields().ByNumber(number); f != nil {
			return string(f.Name())
		}
	}
	return strconv.Itoa(int(number))
}

// valueIn is a value of a conflict as programs read it; nil for none.
func valueIn(c *review.Conflict, v review.Value) any {
	if c.Deletion() {
		return v.Common != nil && v.GetDeleted()
	}
	return fieldIn(v.Common, c.Of)
}

// fieldIn is the value of a field in a message as programs read it; nil where it is empty, or not known.
func fieldIn(m record.Common, f protoreflect.FieldDescriptor) any {
	if m == nil || f == nil || !m.ProtoReflect().Has(f) {
		return nil
	}
	return casefile.ValueOf(f, m.ProtoReflect().Get(f))
}

type settleIn struct {
	OfConflict
	Body struct {
		Seen       int64  `json:"seen" minimum:"1" doc:"As the conflict said it. When anything was set in it since, the answer is changed_meanwhile."`
		RecordSeen int64  `json:"record_seen" minimum:"1" doc:"The same, of the record."`
		Keep       string `json:"keep" enum:"side,standing,value" doc:"Which value is to stand."`
		Side       int    `json:"side,omitempty" minimum:"1" doc:"With keep=side: which one, counted from 1."`
		Value      any    `json:"value,omitempty" doc:"With keep=value, where the conflict is writable: text, a whole number, true or false, a day as in 2021-09-23, or the name of a choice."`
	}
}

func (a *api) settle(ctx context.Context, in *settleIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		id, _ := uuid.Parse(in.Conflict)         // validated
		c, err := d.Review.Conflict(ctx, by, id) // which is to be settled by who sees it
		if err != nil {
			return err
		}
		s := review.Settlement{Conflict: review.Seen{ID: id, Position: uint64(in.Body.Seen)}, Target: review.Seen{ID: c.Target.ID, Position: uint64(in.Body.RecordSeen)}} //nolint:gosec // not negative
		switch in.Body.Keep {
		case "side":
			if s.Side = in.Body.Side; s.Side == 0 {
				return problem.Newf(problem.InvalidArgument, "side: say which one")
			}
		case "value":
			if s.Value, err = writtenValue(c, in.Body.Value); err != nil {
				return err
			}
		}
		return d.Review.Settle(ctx, by, s)
	})
}

// writtenValue is a value for the field of a conflict. Problem invalid_argument when it is none.
func writtenValue(c *review.Conflict, said any) (review.Value, error) {
	value, ok := protoreflect.Value{}, false
	if c.Writable() {
		value, ok = plainValue(c.Of, said)
	}
	if !ok {
		return review.Value{}, problem.Newf(problem.InvalidArgument, "value: none that the field can have")
	}
	m := record.New(c.Kind)
	m.ProtoReflect().Set(c.Of, value)
	return review.Value{Common: m}, nil
}

func plainValue(f protoreflect.FieldDescriptor, said any) (protoreflect.Value, bool) {
	text, isText := said.(string)
	switch words.FormOf(f) {
	case words.Text:
		return protoreflect.ValueOfString(text), isText && text != ""
	case words.Date:
		day, err := record.ParseDate(text)
		return protoreflect.ValueOfInt32(int32(day)), err == nil
	case words.YesOrNo:
		yes, ok := said.(bool)
		return protoreflect.ValueOfBool(yes), ok
	case words.Choice:
		for i := range f.Enum().Values().Len() {
			if v := f.Enum().Values().Get(i); words.ChoiceName(v) == text {
				return protoreflect.ValueOfEnum(v.Number()), true
			}
		}
	case words.Number:
		n, ok := said.(float64)
		whole := ok && n == math.Trunc(n)
		if f.Kind() == protoreflect.Uint32Kind {
			return protoreflect.ValueOfUint32(uint32(n)), whole && n >= 0 && n <= math.MaxUint32
		}
		return protoreflect.ValueOfInt32(int32(n)), whole && n >= math.MinInt32 && n <= math.MaxInt32
	}
	return protoreflect.Value{}, false
}

type heldChangeBody struct {
	Change   string          `json:"change" format:"uuid"`
	Record   string          `json:"record,omitempty" format:"uuid"`
	Kind     string          `json:"kind" example:"case_session"`
	Code     string          `json:"code" doc:"Why it is held; discarded once somebody decided so." example:"not_your_team"`
	Message  string          `json:"message" doc:"The same for people, in the language of Accept-Language."`
	Makes    bool            `json:"makes" doc:"The record is not there, and would be."`
	Hidden   bool            `json:"hidden" doc:"What it says can't be read, or is not for the caller."`
	Fields   []heldFieldView `json:"fields" nullable:"false" doc:"Those that it would set or empty."`
	Deletes  bool            `json:"deletes" doc:"It would delete the record."`
	Worker   namedView       `json:"worker" doc:"Whose tablet sent it."`
	Tablet   string          `json:"tablet,omitempty" doc:"What that is called."`
	Made     *time.Time      `json:"made,omitempty" doc:"By the tablet's corrected clock."`
	Received time.Time       `json:"received"`
}

type heldFieldView struct {
	Name     string `json:"name" example:"minutes"`
	Value    any    `json:"value,omitempty" doc:"Absent when it would be emptied."`
	Standing any    `json:"standing,omitempty" doc:"What stands there now."`
}

func (a *api) heldChange(ctx context.Context, in *struct {
	Scope
	Change string `path:"change" format:"uuid" doc:"Id of the held change, as /api/held has it."`
}) (*answer[heldChangeBody], error) {
	return noted(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader, lang string) (heldChangeBody, error) {
		id, _ := uuid.Parse(in.Change) // validated
		h, err := d.Review.Held(ctx, by, id)
		if err != nil {
			return heldChangeBody{}, err
		}
		body := heldChangeBody{Change: in.Change, Record: idText(h.Record), Kind: kindText(h.Kind), Code: string(h.Code), Message: record.Message(h.Code, lang), Makes: h.Makes, Hidden: h.Message == nil,
			Fields: []heldFieldView{}, Worker: workerIn(d.Syncing.SetUp(), h.Worker), Tablet: h.Tablet, Received: h.Received}
		if !h.Made.IsZero() {
			body.Made = &h.Made
		}
		if h.Message == nil {
			return body, nil
		}
		body.Deletes = h.Message.GetDeleted()
		for _, f := range words.Settable(h.Kind) {
			if !h.Message.ProtoReflect().Has(f) && !slices.Contains(h.Cleared, f.Number()) {
				continue
			}
			view := heldFieldView{Name: string(f.Name()), Value: fieldIn(h.Message, f)}
			if h.Standing != nil && record.KindOf(h.Standing) == h.Kind {
				view.Standing = fieldIn(h.Standing, f)
			}
			body.Fields = append(body.Fields, view)
		}
		return body, nil
	})
}

type duplicatesBody struct {
	Pairs    []pairView `json:"pairs" nullable:"false"`
	Unsorted uint64     `json:"unsorted" doc:"Changes that were not looked at yet; 0 when the list is up to date."`
	Next     string     `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one."`
}

type pairView struct {
	Earlier string    `json:"earlier" format:"uuid" doc:"The record that was made first."`
	Later   string    `json:"later" format:"uuid"`
	Kind    string    `json:"kind" example:"community_activity"`
	Day     string    `json:"day,omitempty" format:"date" doc:"That of the later one."`
	Team    namedView `json:"team" doc:"That of the earlier one."`
}

func (a *api) duplicates(ctx context.Context, in *struct {
	Scope
	DayPaging
}) (*answer[duplicatesBody], error) {
	return replySorted(ctx, a, in.Scope, func(d *Deployment, _ string) (duplicatesBody, error) {
		body := duplicatesBody{Pairs: []pairView{}}
		teams, err := within(ctx, d, "")
		if err != nil {
			return body, err
		}
		if body.Unsorted, err = d.Indexing.Behind(ctx); err != nil {
			return body, err
		}
		day, ids := in.place()
		pairs, err := d.Indexing.Likely(ctx, indexing.LikelyQuery{Teams: teams, After: indexing.PairPlace{Day: day, Earlier: ids[0], Later: ids[1]}, Limit: in.Limit})
		for _, p := range pairs {
			body.Pairs = append(body.Pairs, pairView{p.Earlier.String(), p.Later.String(), kindText(p.Kind), dateText(p.Day), teamIn(d.Syncing.SetUp(), p.Audience)})
		}
		if n := len(pairs); n == in.Limit {
			body.Next = placeText(pairs[n-1].Day, pairs[n-1].Earlier, pairs[n-1].Later)
		}
		return body, err
	})
}

// OfPair names two records.
type OfPair struct {
	Scope
	Earlier string `path:"earlier" format:"uuid" doc:"Id of one record."`
	Later   string `path:"later" format:"uuid" doc:"Id of the other."`
}

func (p OfPair) ids() (earlier, later hlc.ID) {
	earlier, _ = uuid.Parse(p.Earlier) // both are validated
	later, _ = uuid.Parse(p.Later)
	return earlier, later
}

type duplicateBody struct {
	Kind    string       `json:"kind" example:"community_activity"`
	Records []alikeView  `json:"records" nullable:"false" doc:"Two, the one that was made first before the other."`
	Fields  []alikeField `json:"fields" nullable:"false" doc:"Those that either has."`
}

type alikeView struct {
	ID     string    `json:"id" format:"uuid"`
	Seen   uint64    `json:"seen" doc:"What the decision says it was shown with."`
	Team   namedView `json:"team"`
	SameAs string    `json:"same_as,omitempty" doc:"The record that it is said to be the same as."`
}

type alikeField struct {
	Name    string `json:"name" example:"name"`
	Earlier any    `json:"earlier,omitempty"`
	Later   any    `json:"later,omitempty"`
	Differs bool   `json:"differs"`
}

func (a *api) duplicate(ctx context.Context, in *OfPair) (*answer[duplicateBody], error) {
	return noted(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader, _ string) (duplicateBody, error) {
		earlier, later := in.ids()
		pair, err := d.Review.Pair(ctx, by, earlier, later)
		if err != nil {
			return duplicateBody{}, err
		}
		body := duplicateBody{Kind: kindText(pair[0].Kind), Records: []alikeView{}, Fields: []alikeField{}}
		for _, one := range pair {
			body.Records = append(body.Records, alikeView{one.ID.String(), one.Position, teamIn(d.Syncing.SetUp(), one.Team), idText(one.Same)})
		}
		for _, f := range words.Settable(pair[0].Kind) {
			one, other := pair[0].Message.ProtoReflect(), pair[1].Message.ProtoReflect()
			if one.Has(f) || other.Has(f) {
				body.Fields = append(body.Fields, alikeField{string(f.Name()), fieldIn(pair[0].Message, f), fieldIn(pair[1].Message, f), !one.Get(f).Equal(other.Get(f))})
			}
		}
		return body, nil
	})
}

type decideDuplicateIn struct {
	OfPair
	Body struct {
		Keep   string `json:"keep" enum:"earlier,later,both" doc:"The record that counts on; both says that they are of different things."`
		Seen   int64  `json:"seen,omitempty" minimum:"0" doc:"Of the record that counts no more: as the pair said it. Not needed with both."`
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"With both: why, for those who read it later. No personal data."`
	}
}

func (a *api) decideDuplicate(ctx context.Context, in *decideDuplicateIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		keep, drop := in.ids()
		switch in.Body.Keep {
		case "both":
			return d.Review.Apart(ctx, by, keep, drop, in.Body.Reason)
		case "later":
			keep, drop = drop, keep
		}
		return d.Review.Join(ctx, by, keep, review.Seen{ID: drop, Position: uint64(in.Body.Seen)}) //nolint:gosec // not negative
	})
}

type separateIn struct {
	Scope
	ID   string `path:"id" format:"uuid" doc:"Id of the record that counts no more."`
	Body struct {
		Seen int64 `json:"seen" minimum:"1" doc:"As the record, or the pair, said it."`
	}
}

func (a *api) separate(ctx context.Context, in *separateIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		return d.Review.Unjoin(ctx, by, shownRecord{in.ID, in.Body.Seen}.seen())
	})
}
