package main

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/clientlib/recordjson"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// logger logs a message of its kind.
type logger func(context.Context, *clientlib.Store, record.Common) (hlc.ID, error)

// loggers are the calls of the library, by kind.
var loggers = map[record.Kind]logger{
	recordv1.Kind_KIND_CASE:               by((*clientlib.Store).LogCase),
	recordv1.Kind_KIND_CASE_IDENTITY:      by((*clientlib.Store).LogCaseIdentity),
	recordv1.Kind_KIND_CONSENT:            by((*clientlib.Store).LogConsent),
	recordv1.Kind_KIND_CASE_SESSION:       by((*clientlib.Store).LogCaseSession),
	recordv1.Kind_KIND_CASE_NOTE:          by((*clientlib.Store).LogCaseNote),
	recordv1.Kind_KIND_OUTREACH:           by((*clientlib.Store).LogOutreach),
	recordv1.Kind_KIND_GROUP:              by((*clientlib.Store).LogGroup),
	recordv1.Kind_KIND_GROUP_SESSION:      by((*clientlib.Store).LogGroupSession),
	recordv1.Kind_KIND_GROUP_NOTE:         by((*clientlib.Store).LogGroupNote),
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY: by((*clientlib.Store).LogCommunityActivity),
	recordv1.Kind_KIND_HEADCOUNT:          by((*clientlib.Store).Count),
	recordv1.Kind_KIND_PARTICIPANT:        by((*clientlib.Store).LogParticipant),
	recordv1.Kind_KIND_ATTENDANCE:         by((*clientlib.Store).LogAttendance),
	recordv1.Kind_KIND_RESOURCE_LINK:      by((*clientlib.Store).LogResourceLink),
	recordv1.Kind_KIND_REFERRAL:           by((*clientlib.Store).LogReferral),
	recordv1.Kind_KIND_REFERRAL_NOTE:      by((*clientlib.Store).LogReferralNote),
	recordv1.Kind_KIND_RISK_ALERT:         by((*clientlib.Store).LogRiskAlert),
	recordv1.Kind_KIND_SUPERVISION:        by((*clientlib.Store).LogSupervision),
	recordv1.Kind_KIND_SUPERVISION_NOTE:   by((*clientlib.Store).LogSupervisionNote),
	recordv1.Kind_KIND_REVIEW:             by((*clientlib.Store).LogReview),
}

func by[M record.Common](log func(*clientlib.Store, context.Context, M) (hlc.ID, error)) logger {
	return func(ctx context.Context, s *clientlib.Store, m record.Common) (hlc.ID, error) {
		return log(s, ctx, m.(M))
	}
}

// logCmd has a command for each kind but headcounts, which are counted. Commands and flags are made from the kinds'
// messages, so that a new field needs only its words.
type logCmd struct {
	Draft bool `help:"${draft_flag}"`
	kong.Plugins

	kinds map[string]*kindFlags
}

// countCmd counts heads.
type countCmd struct {
	Activity string `arg:"" help:"${activity_argument}"`
	Draft    bool   `help:"${draft_flag}"`
	kong.Plugins

	flags *kindFlags
}

// Run logs a record of the kind whose command was given.
func (c *logCmd) Run(s *session, parsed *kong.Context) error {
	flags := c.kinds[parsed.Selected().Name]
	m := record.New(flags.kind)
	for _, f := range flags.fields {
		if err := flags.apply(s, m, f); err != nil {
			return err
		}
	}
	return s.keep(flags.kind, m, c.Draft)
}

// Run logs a headcount of an activity.
func (c *countCmd) Run(s *session) error {
	m := &recordv1.Headcount{}
	fields := words.Fields(m.ProtoReflect().Descriptor())
	if err := s.set(c.flags.kind, m.ProtoReflect(), fieldNamed(fields, "activity"), []string{c.Activity}); err != nil {
		return err
	}
	for _, f := range c.flags.fields {
		if err := c.flags.apply(s, m, f); err != nil {
			return err
		}
	}
	totals := m.FirstTime != nil || m.Returning != nil || m.Unsure != nil
	switch {
	case len(m.GetCells()) > 0 && totals:
		return &failure{code: "invalid_value", exit: 2, text: s.Say(cellsOrTotals), fields: []string{"cells"}}
	case len(m.GetCells()) == 0 && !totals && !c.Draft:
		return &failure{code: "missing_fields", exit: 1, text: s.Say(nobodyCounted), fields: []string{"cells"}}
	}
	return s.keep(c.flags.kind, m, c.Draft)
}

// keep logs a record, if nothing is missing or it may be a draft, and shows it.
func (s *session) keep(k record.Kind, m record.Common, draft bool) error {
	if missing := s.lacking(k, m); len(missing) > 0 && !draft {
		return s.missing(missing)
	}
	id, err := loggers[k](s.ctx, s.store, m)
	if err != nil {
		return err
	}
	return s.saved(id, recordSaved)
}

func (s *session) missing(fields []protoreflect.FieldDescriptor) error {
	f := &failure{code: "missing_fields", exit: 1}
	var labels []string
	for _, field := range fields {
		labels = append(labels, s.Say(labelAndFlag, s.Field(field), nameOf(field)))
		f.fields = append(f.fields, string(field.Name()))
	}
	f.text = s.Say(fieldsMissing, s.List(labels))
	return f
}

// lacking are the required fields that a record would lack once the library has filled in what it knows.
func (s *session) lacking(k record.Kind, m record.Common) []protoreflect.FieldDescriptor {
	var lacking []protoreflect.FieldDescriptor
	for _, number := range record.Missing(k, m) {
		if f := fieldNumbered(k, number); !s.filledIn(k, f, m) {
			lacking = append(lacking, f)
		}
	}
	return lacking
}

// filledIn reports whether the library fills in a field that is left out.
func (s *session) filledIn(k record.Kind, f protoreflect.FieldDescriptor, m record.Common) bool {
	switch f.Name() {
	case "author", "occurred_on", "lead", "leader", "counter", "seen_at", "reviewed":
		return true
	case "token":
		return k == recordv1.Kind_KIND_ATTENDANCE
	case "service_area":
		if k == recordv1.Kind_KIND_RESOURCE_LINK {
			return true
		}
		owner, ok := clientlib.AnyRecord{Kind: k, Message: m}.Owner()
		if !ok {
			return record.OwnerField(k) != 0 // that it names no owner is said already
		}
		r, err := s.store.Record(s.ctx, owner)
		if err != nil || r.Message == nil {
			return true // that what it belongs to is not there is the greater problem
		}
		service := r.Message.ProtoReflect().Descriptor().Fields().ByName("service_area")
		return r.Message.ProtoReflect().Has(service)
	default:
		return false
	}
}

func fieldNumbered(k record.Kind, number protowire.Number) protoreflect.FieldDescriptor {
	m := record.New(k)
	if m == nil {
		return nil
	}
	return m.ProtoReflect().Descriptor().Fields().ByNumber(number)
}

// saved shows a record that was just changed.
func (s *session) saved(id hlc.ID, m words.Message) error {
	r, err := s.store.Record(s.ctx, id)
	if err != nil {
		return err
	}
	return s.answer(s.recordJSON(r), func() {
		s.line(m, s.headline(r), shortID(id))
		if s.logsLate(r.Kind) {
			s.line(savedLate)
		}
		if len(r.Missing) > 0 && !r.Deleted {
			s.line(isDraft, s.List(s.missingLabels(r)))
		}
		if recordjson.Unconfirmed(r) {
			s.advise()
		}
	})
}

func (s *session) missingLabels(r clientlib.AnyRecord) []string {
	var labels []string
	for _, name := range r.Missing {
		labels = append(labels, s.Field(r.Message.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(name))))
	}
	return labels
}

// advise says what comes before any record while nobody has confirmed a risk alert.
func (s *session) advise() {
	var numbers []string
	for _, n := range s.deployment().GetEmergencyNumbers() {
		numbers = append(numbers, strings.TrimSpace(s.Either(n.GetLabelEn(), n.GetLabelZh())+" "+n.GetNumber()))
	}
	if len(numbers) == 0 {
		numbers = []string{"110", "120"}
	}
	s.line(riskAdvice, s.List(numbers))
}

// kindFlags are the flags of a kind, one for each field: what was written for it, as often as it was written.
type kindFlags struct {
	kind   record.Kind
	fields []protoreflect.FieldDescriptor
	values reflect.Value // a struct with a []string for each field
}

// addKindFlags puts the flags of all kinds into the grammar.
func (s *session) addKindFlags(g *grammar) {
	g.Log.kinds = map[string]*kindFlags{}
	var commands []reflect.StructField
	for _, k := range tabletKinds {
		if k == recordv1.Kind_KIND_HEADCOUNT {
			continue
		}
		flags := &kindFlags{kind: k, fields: words.Settable(k)}
		g.Log.kinds[kindName(k)] = flags
		commands = append(commands, reflect.StructField{
			Name: "Kind" + strconv.Itoa(int(k)), Type: s.flagsType(flags),
			Tag: tag("cmd", "", "name", kindName(k), "help", s.Labelled(s.Kind(k), s.Say(kindHelps[k]))),
		})
	}
	all := reflect.New(reflect.StructOf(commands))
	for _, flags := range g.Log.kinds {
		flags.values = all.Elem().FieldByName("Kind" + strconv.Itoa(int(flags.kind)))
	}
	g.Log.Plugins = kong.Plugins{all.Interface()}

	isActivity := func(f protoreflect.FieldDescriptor) bool { return f.Name() == "activity" } // the argument
	g.Count.flags = &kindFlags{kind: recordv1.Kind_KIND_HEADCOUNT}
	g.Count.flags.fields = slices.DeleteFunc(words.Settable(recordv1.Kind_KIND_HEADCOUNT), isActivity)
	count := reflect.New(s.flagsType(g.Count.flags))
	g.Count.flags.values = count.Elem()
	g.Count.Plugins = kong.Plugins{count.Interface()}
}

// flagsType is a struct as the parser wants it, with a field for each flag.
func (s *session) flagsType(flags *kindFlags) reflect.Type {
	required := s.lacking(flags.kind, record.New(flags.kind))
	var fields []reflect.StructField
	for _, f := range flags.fields {
		help := s.Field(f)
		if slices.Contains(required, f) {
			help += "*"
		}
		if how := s.howToWrite(flags.kind, f); how != "" {
			help = s.Labelled(help, how)
		}
		parts := []string{"name", nameOf(f), "sep", "none", "placeholder", s.Say(placeholders[words.FormOf(f)]), "help", help}
		if words.IsCommon(f) {
			parts = append(parts, "group", "common")
		}
		fields = append(fields, reflect.StructField{
			Name: "Field" + strconv.Itoa(int(f.Number())), Type: reflect.TypeFor[[]string](), Tag: tag(parts...),
		})
	}
	return reflect.StructOf(fields)
}

// tag is a struct tag of keys, each with its value behind it.
func tag(parts ...string) reflect.StructTag {
	var pairs []string
	for pair := range slices.Chunk(parts, 2) {
		pairs = append(pairs, pair[0]+":"+strconv.Quote(pair[1]))
	}
	return reflect.StructTag(strings.Join(pairs, " "))
}

// howToWrite says what a flag's value may be, where its placeholder does not.
func (s *session) howToWrite(k record.Kind, f protoreflect.FieldDescriptor) string {
	switch words.FormOf(f) {
	case words.Choice:
		return s.List(s.choiceNames(s.terms().Options(f.Enum())))
	case words.Compound:
		if f.Name() == "cells" {
			return s.Say(cellsLike, s.partNames(f.Message()))
		}
		return s.partNames(f.Message())
	case words.Reference:
		var kinds []string
		for _, meant := range s.kindsMeant(k, f) {
			kinds = append(kinds, s.Kind(meant))
		}
		if how := s.List(kinds); len(kinds) <= 4 && how != s.Field(f) {
			return how
		}
		return ""
	default:
		return ""
	}
}

// apply reads what was written for a field into a message.
func (flags *kindFlags) apply(s *session, m record.Common, f protoreflect.FieldDescriptor) error {
	written, _ := flags.values.Field(slices.Index(flags.fields, f)).Interface().([]string)
	if len(written) == 0 {
		return nil
	}
	return s.set(flags.kind, m.ProtoReflect(), f, written)
}
