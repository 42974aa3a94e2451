package main

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/clientlib/recordjson"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// tabletKinds are the kinds that a tablet makes, in the order in which work is done.
var tabletKinds = []record.Kind{
	recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_CASE_IDENTITY, recordv1.Kind_KIND_CONSENT, recordv1.Kind_KIND_CASE_SESSION,
	recordv1.Kind_KIND_CASE_NOTE, recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP, recordv1.Kind_KIND_GROUP_SESSION,
	recordv1.Kind_KIND_GROUP_NOTE, recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_PARTICIPANT,
	recordv1.Kind_KIND_ATTENDANCE, recordv1.Kind_KIND_RESOURCE_LINK, recordv1.Kind_KIND_REFERRAL, recordv1.Kind_KIND_REFERRAL_NOTE,
	recordv1.Kind_KIND_RISK_ALERT, recordv1.Kind_KIND_SUPERVISION, recordv1.Kind_KIND_SUPERVISION_NOTE, recordv1.Kind_KIND_REVIEW,
}

// setUpKinds are what the deployment consists of.
var setUpKinds = []record.Kind{
	recordv1.Kind_KIND_DEPLOYMENT, recordv1.Kind_KIND_SITE, recordv1.Kind_KIND_TEAM, recordv1.Kind_KIND_WORKER,
}

// kindNamed is the kind that people call name: by its name, or by its word in either language.
func (s *session) kindNamed(name string) (record.Kind, bool) {
	wanted := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	for _, k := range append(slices.Clone(tabletKinds), setUpKinds...) {
		if wanted == kindName(k) || name == words.In("zh").Kind(k) || name == s.kindLabel(k) {
			return k, true
		}
	}
	return 0, false
}

// deployment is the deployment's own record; an empty one where there is none, so that a tablet shows what it has, and
// while the command line is parsed.
func (s *session) deployment() *recordv1.Deployment {
	if s.store == nil {
		return &recordv1.Deployment{}
	}
	if s.itsDeployment == nil {
		s.itsDeployment = &recordv1.Deployment{}
		if found, err := s.store.Deployment(s.ctx); err == nil {
			s.itsDeployment = found.Message
		}
	}
	return s.itsDeployment
}

// terms are the words of the deployment.
func (s *session) terms() *words.Terms {
	if s.store == nil { // while the command line is parsed
		return s.For(&recordv1.Deployment{})
	}
	if s.itsTerms == nil {
		s.itsTerms = s.For(s.deployment())
	}
	return s.itsTerms
}

// zone is the deployment's time zone.
func (s *session) zone() *time.Location { return s.terms().Zone() }

// kindLabel is the word for a kind: the deployment's own, if it has one.
func (s *session) kindLabel(k record.Kind) string { return s.terms().KindLabel(k) }

// recordsOf are all records of some kinds, deleted ones among them, the newest day first. Each kind is read once.
func (s *session) recordsOf(kinds ...record.Kind) ([]clientlib.AnyRecord, error) {
	var all []clientlib.AnyRecord
	for _, k := range kinds {
		if _, read := s.read[k]; !read {
			found, err := s.everyPage(clientlib.Query{Kinds: []record.Kind{k}, Deleted: true, Limit: 500})
			if err != nil {
				return nil, err
			}
			s.read[k] = found
		}
		all = append(all, s.read[k]...)
	}
	return all, nil
}

func (s *session) everyPage(q clientlib.Query) ([]clientlib.AnyRecord, error) {
	var all []clientlib.AnyRecord
	for {
		page, err := s.store.List(s.ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Records...)
		if q.After = page.Next; q.After == "" {
			return all, nil
		}
	}
}

// leastOfID is how many digits of an id people must write at least.
const leastOfID = 4

// find is the record that people mean by a text: its whole id, the first or last digits of it, or its name (of a
// worker, a site, a team, a group, an activity; the number of a case). With kinds, it is one of those.
func (s *session) find(text string, kinds ...record.Kind) (hlc.ID, error) {
	if id, err := uuid.Parse(text); err == nil {
		return id, nil
	}
	if len(kinds) == 0 {
		kinds = append(slices.Clone(tabletKinds), setUpKinds...)
	}
	all, err := s.recordsOf(kinds...)
	if err != nil {
		return hlc.ID{}, err
	}
	digits := strings.ToLower(strings.ReplaceAll(text, "-", ""))
	var found []clientlib.AnyRecord
	for _, r := range all {
		id := hex.EncodeToString(r.ID[:])
		byID := len(digits) >= leastOfID && (strings.HasPrefix(id, digits) || strings.HasSuffix(id, digits))
		if byID || (text != "" && r.Name() == text) {
			found = append(found, r)
		}
	}
	if len(found) > 1 { // a name that was given again after a delete
		found = slices.DeleteFunc(found, func(r clientlib.AnyRecord) bool { return r.Deleted })
	}
	switch len(found) {
	case 1:
		return found[0].ID, nil
	case 0:
		return hlc.ID{}, s.fail(clientlib.CodeRecordMissing, noSuchRecord, text)
	default:
		var lines []string
		for _, r := range found[:min(len(found), 10)] {
			lines = append(lines, "  "+shortID(r.ID)+"  "+s.headline(r))
		}
		return hlc.ID{}, s.fail("ambiguous_id", ambiguousID, text, strings.Join(lines, "\n"))
	}
}

// kindName is what people write for a kind, such as "case-session".
func kindName(k record.Kind) string { return strings.ReplaceAll(words.KindName(k), "_", "-") }

// kindsMeant are the kinds whose records a field of a kind may name.
func (s *session) kindsMeant(k record.Kind, f protoreflect.FieldDescriptor) []record.Kind {
	if f.Number() == record.OwnerField(k) {
		var owners []record.Kind
		for _, owner := range tabletKinds {
			if record.MayOwn(owner, k) {
				owners = append(owners, owner)
			}
		}
		return owners
	}
	switch f.Name() {
	case "site":
		return []record.Kind{recordv1.Kind_KIND_SITE}
	case "team":
		return []record.Kind{recordv1.Kind_KIND_TEAM}
	case "duplicate_of":
		return []record.Kind{k}
	case "participant", "present", "absent":
		return []record.Kind{recordv1.Kind_KIND_PARTICIPANT}
	case "consent":
		return []record.Kind{recordv1.Kind_KIND_CONSENT}
	default:
		return []record.Kind{recordv1.Kind_KIND_WORKER}
	}
}

// shortID is enough of an id to tell a tablet's records apart: its last digits, which are random.
func shortID(id hlc.ID) string { return hex.EncodeToString(id[12:]) }

// title is what a record is called; one without a name goes by that of what it belongs to.
func (s *session) title(r clientlib.AnyRecord) string {
	for range 4 { // no family is deeper
		if name := r.Name(); name != "" || r.Message == nil {
			return name
		}
		owner, ok := r.Owner()
		if !ok {
			return ""
		}
		next, err := s.store.Record(s.ctx, owner)
		if err != nil {
			return shortID(owner)
		}
		r = next
	}
	return ""
}

// headline is a record's kind and title.
func (s *session) headline(r clientlib.AnyRecord) string {
	if title := s.title(r); title != "" {
		return s.Say(kindAndTitle, s.kindLabel(r.Kind), title)
	}
	return s.kindLabel(r.Kind)
}

// named is the record that a reference names, as people know it.
func (s *session) named(reference []byte) string {
	id, ok := idOf(reference)
	if !ok {
		return hex.EncodeToString(reference)
	}
	r, err := s.store.Record(s.ctx, id)
	if err != nil {
		return shortID(id)
	}
	title := s.title(r)
	switch {
	case title == "":
		return shortID(id)
	case record.SetUp(r.Kind):
		return title
	default:
		return s.Say(titleAndID, title, shortID(id))
	}
}

// marks are what people should know about a record besides its fields, in few words.
func (s *session) marks(r clientlib.AnyRecord) []string {
	var marks []string
	mark := func(on bool, m words.Message) {
		if on {
			marks = append(marks, s.Say(m))
		}
	}
	mark(r.Deleted, markDeleted)
	mark(r.HeldOtherwise(), markHeld)
	mark(r.Late(), markLate)
	if r.Message != nil {
		mark(recordjson.Unconfirmed(r), markUnconfirmed)
		mark(r.Message.GetStatus() == recordv1.Status_STATUS_PLANNED, markPlanned)
		mark(r.Message.GetStatus() == recordv1.Status_STATUS_CANCELLED, markCancelled)
		mark(len(r.Message.GetDuplicateOf()) > 0, markDuplicate)
	}
	mark(len(r.Missing) > 0, markDraft)
	mark(r.Sending == clientlib.Unsent, markUnsent)
	mark(r.Sending == clientlib.Sent, markSent)
	mark(r.Sending == clientlib.Durable, markDurable)
	return marks
}

// recordJSON is a record as JSON has it.
func (s *session) recordJSON(r clientlib.AnyRecord) recordjson.Record {
	return recordjson.Of(s.terms(), r)
}

// table prints records, one to a line.
func (s *session) table(records []clientlib.AnyRecord) {
	rows := make([][]string, 0, len(records))
	for _, r := range records {
		day := ""
		if r.Message != nil && r.Message.GetOccurredOn() != 0 {
			day = s.Date(record.Date(r.Message.GetOccurredOn()))
		}
		rows = append(rows, []string{shortID(r.ID), day, s.kindLabel(r.Kind), shorten(s.title(r), 40), s.List(s.marks(r))})
	}
	s.rows(rows)
}
