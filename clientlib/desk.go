package clientlib

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// desk is what a worker who logs has around them: read in the transaction that logs, since another process may have
// synced the file a moment ago.
type desk struct {
	store      *Store
	tx         *localdb.Tx
	tablet     *localdb.Tablet
	clock      *hlc.Clock
	now        time.Time
	deployment record.Deployment
	state      recordv1.DeploymentState
	ageBands   []uint32
	sites      map[hlc.ID]*recordv1.Site
	worker     *recordv1.Worker
	team       *recordv1.Team
}

// now is the best guess at what time it is. Work must be logged even when the clock was set back, and by how much is not
// known before the next sync: then it is the time of the last contact.
func (s *Store) now(t *localdb.Tablet) (now time.Time, setBack bool) {
	now = s.wall().Add(t.Offset)
	if now.Before(t.LastContact.Add(-clockTolerance)) {
		return t.LastContact, true
	}
	return now, false
}

// yearsUnknown is how far ahead of the last contact today may be while the clock is known to be wrong.
const yearsUnknown = 5

func (s *Store) desk(tx *localdb.Tx, t *localdb.Tablet) (*desk, error) {
	d := &desk{store: s, tx: tx, tablet: t, clock: t.Clock(s.wall), sites: map[hlc.ID]*recordv1.Site{}, worker: &recordv1.Worker{}, team: &recordv1.Team{}}
	setUp, err := tx.SetUp(t.Worker)
	if err != nil {
		return nil, err
	}
	deployment, teams, sites := &recordv1.Deployment{}, map[hlc.ID]*recordv1.Team{}, []*recordv1.Site{}
	for _, r := range setUp {
		m, err := message(r.Kind, r.View.Fields())
		if err != nil {
			return nil, err
		}
		switch m := m.(type) {
		case *recordv1.Deployment:
			deployment = m
		case *recordv1.Site:
			d.sites[r.ID] = m
			sites = append(sites, m)
		case *recordv1.Team:
			teams[r.ID] = m
		case *recordv1.Worker:
			d.worker = m
		}
	}
	if len(d.worker.GetTeam()) == len(hlc.ID{}) && teams[hlc.ID(d.worker.GetTeam())] != nil {
		d.team = teams[hlc.ID(d.worker.GetTeam())]
	}
	if d.deployment, err = record.DeploymentOf(deployment, sites); err != nil {
		return nil, err
	}
	d.state, d.ageBands = stateOf(deployment), record.AgeBands(deployment)
	now, setBack := s.now(t)
	d.now, d.deployment.Now = now, now
	if setBack { // a later day that the worker names may be right
		d.deployment.Now = now.AddDate(yearsUnknown, 0, 0)
	}
	return d, nil
}

// theDeployment is the deployment's own record; an empty one while the server has sent none.
func theDeployment(tx *localdb.Tx) (*recordv1.Deployment, error) {
	found, err := ofKind[*recordv1.Deployment](tx)
	if err != nil || len(found) == 0 {
		return &recordv1.Deployment{}, err
	}
	return found[0].Message, nil
}

// find reads a record into a message of its kind; the message stays empty when the record is not there.
func (d *desk) find(recordID []byte, into record.Common) error {
	if len(recordID) != len(hlc.ID{}) {
		return nil
	}
	r, ok, err := d.tx.Record(hlc.ID(recordID))
	if err != nil || !ok || r.Kind != record.KindOf(into) {
		return err
	}
	return proto.Unmarshal(r.View.Fields(), into)
}

// stamp is a new stamp of this tablet.
func (d *desk) stamp() hlc.Stamp {
	return hlc.Stamp{Time: d.clock.Now(), Replica: d.tablet.Replica}
}

// today is the local date.
func (d *desk) today() record.Date {
	return record.DateOf(d.now, d.deployment.Location)
}

// valid is the canonical encoding of a partial message, when nothing is wrong with it.
func (d *desk) valid(k record.Kind, m proto.Message) ([]byte, error) {
	encoded, err := proto.Marshal(m)
	if err != nil { // a text that is not UTF-8
		return nil, &InvalidError{k, []record.Problem{{Code: record.CodeInvalidUTF8, Cause: err}}}
	}
	fields, err := record.Canonical(k, encoded)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", k, err)
	}
	if problems := record.Validate(k, fields, d.deployment); len(problems) > 0 {
		return nil, &InvalidError{k, problems}
	}
	return fields, nil
}

// fill is a copy of m with what was left out.
func (d *desk) fill(k record.Kind, m record.Common) (record.Common, error) {
	filled := record.New(k)
	if filled == nil || record.SetUp(k) {
		return nil, fail(CodeKindMismatch, "%T is not logged", m)
	}
	proto.Merge(filled, m)
	owner, err := d.ownerOf(k, filled)
	if err != nil {
		return nil, err
	}
	lender := record.New(k) // of whatever kind: an empty message lends nothing
	if record.Known(owner.Kind) {
		if lender, err = message(owner.Kind, owner.View.Fields()); err != nil {
			return nil, err
		}
	}
	if err := d.fillOwn(filled, lender, owner); err != nil {
		return nil, err
	}
	d.fillCommon(k, filled, lender)
	return filled, nil
}

// ownerOf is the record that m names in its owner field; the zero Record where its kind has no owner, or m names none
// and need not.
func (d *desk) ownerOf(k record.Kind, m record.Common) (localdb.Record, error) {
	none := localdb.Record{}
	number := record.OwnerField(k)
	if number == 0 {
		return none, nil
	}
	field := m.ProtoReflect().Descriptor().Fields().ByNumber(number)
	if !m.ProtoReflect().Has(field) {
		if ownerOptional(k) {
			return none, nil
		}
		return none, fail(CodeOwnerMissing, "%v without %s", k, field.Name())
	}
	named := m.ProtoReflect().Get(field).Bytes()
	if len(named) != len(hlc.ID{}) {
		return none, &InvalidError{k, []record.Problem{{Code: record.CodeInvalidID, Field: number}}}
	}
	owner, ok, err := d.tx.Record(hlc.ID(named))
	switch {
	case err != nil:
		return none, err
	case !ok || !record.MayOwn(owner.Kind, k):
		return none, fail(CodeOwnerMissing, "%v with %s %s", k, field.Name(), hlc.ID(named))
	case owner.View.Deleted() && k != recordv1.Kind_KIND_RISK_ALERT: // nothing stands in the way of an alert
		return none, fail(CodeOwnerDeleted, "%v with %s %s", k, field.Name(), hlc.ID(named))
	}
	return owner, nil
}

// ownerOptional reports whether a record of kind k can stand by itself though its kind has an owner field.
func ownerOptional(k record.Kind) bool {
	return k == recordv1.Kind_KIND_RESOURCE_LINK || k == recordv1.Kind_KIND_RISK_ALERT
}

// fillOwn fills fields of single kinds.
func (d *desk) fillOwn(m, lender record.Common, owner localdb.Record) error {
	worker := d.tablet.Worker[:]
	switch m := m.(type) {
	case *recordv1.Case:
		or(&m.Lead, worker)
		d.fillAgeBand(m)
	case *recordv1.Group:
		or(&m.Leader, worker)
	case *recordv1.Headcount:
		or(&m.Counter, worker)
		lend(m, lender, fieldOccurredOn)
	case *recordv1.Attendance:
		lend(m, lender, fieldOccurredOn)
		return d.fillParticipant(m)
	case *recordv1.CaseNote, *recordv1.GroupNote:
		lend(m, lender, fieldOccurredOn)
	case *recordv1.ResourceLink:
		if m.ServiceArea == nil {
			m.ServiceArea = recordv1.ServiceArea_SERVICE_AREA_RESOURCE_LINKING.Enum()
		}
	case *recordv1.RiskAlert:
		if m.SeenAt == nil {
			m.SeenAt = proto.Int64(d.now.UnixMilli())
		}
	case *recordv1.Review:
		if len(m.Reviewed) == 0 {
			m.Reviewed = tally.Reviewed(owner.Kind, owner.View)
		}
	}
	return nil
}

// fillAgeBand keeps the band of a case with its age, unless the worker gives both.
func (d *desk) fillAgeBand(m *recordv1.Case) {
	if m.Age != nil && m.AgeBand == nil {
		m.AgeBand = proto.Uint32(record.AgeBand(d.ageBands, m.GetAge()))
	}
}

func (d *desk) fillParticipant(m *recordv1.Attendance) error {
	participant := &recordv1.Participant{}
	if err := d.find(m.GetParticipant(), participant); err != nil {
		return err
	}
	or(&m.Token, participant.GetToken())
	if m.Sex == nil {
		m.Sex = participant.Sex
	}
	if m.AgeBand == nil {
		m.AgeBand = participant.AgeBand
	}
	if m.Disability == nil {
		m.Disability = participant.Disability
	}
	return nil
}

// or sets an id that is absent.
func or(field *[]byte, value []byte) {
	if *field == nil && len(value) > 0 {
		*field = value
	}
}

// Numbers of the common fields.
const (
	fieldSite        protoreflect.FieldNumber = 1
	fieldTeam        protoreflect.FieldNumber = 2
	fieldAuthor      protoreflect.FieldNumber = 3
	fieldOccurredOn  protoreflect.FieldNumber = 4
	fieldPlace       protoreflect.FieldNumber = 5
	fieldStatus      protoreflect.FieldNumber = 6
	fieldServiceArea protoreflect.FieldNumber = 7
	fieldCoWorkers   protoreflect.FieldNumber = 8
	fieldEntry       protoreflect.FieldNumber = 9
)

// doneOnADay are the kinds that are planned, held or cancelled.
var doneOnADay = []record.Kind{
	recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY,
}

// countedWithOwner are the kinds that count for the service area of what they belong to.
var countedWithOwner = []record.Kind{
	recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_ATTENDANCE,
}

func (d *desk) fillCommon(k record.Kind, m, lender record.Common) {
	set(m, fieldAuthor, protoreflect.ValueOfBytes(d.tablet.Worker[:]))
	lend(m, lender, fieldTeam)
	if team := d.worker.GetTeam(); len(team) > 0 {
		set(m, fieldTeam, protoreflect.ValueOfBytes(team))
	}
	lend(m, lender, fieldSite)
	if site, ok := d.site(); ok {
		set(m, fieldSite, protoreflect.ValueOfBytes(site[:]))
	}
	d.fillPlace(m, lender)
	if slices.Contains(countedWithOwner, k) {
		lend(m, lender, fieldServiceArea)
	}
	set(m, fieldOccurredOn, protoreflect.ValueOfInt32(int32(d.today())))
	if slices.Contains(doneOnADay, k) {
		set(m, fieldStatus, protoreflect.ValueOfEnum(recordv1.Status_STATUS_HELD.Number()))
	}
	entry := recordv1.Entry_ENTRY_LIVE
	if m.GetOccurredOn() < int32(d.today()) {
		entry = recordv1.Entry_ENTRY_BACKFILLED
	}
	set(m, fieldEntry, protoreflect.ValueOfEnum(entry.Number()))
}

// fillPlace gives m the place of what it belongs to, else of its site. Where m names a village alone, the village lies in
// that place.
func (d *desk) fillPlace(m, lender record.Common) {
	place := lender.GetPlace()
	if place == nil && len(m.GetSite()) == len(hlc.ID{}) {
		place = d.sites[hlc.ID(m.GetSite())].GetPlace()
	}
	switch {
	case place == nil:
	case m.GetPlace() == nil:
		set(m, fieldPlace, protoreflect.ValueOfMessage(proto.CloneOf(place).ProtoReflect()))
	case m.GetPlace().Code == nil:
		m.GetPlace().Code, m.GetPlace().Edition = place.Code, place.Edition
	}
}

// site is where the worker logs, as far as that can be told without asking.
func (d *desk) site() (hlc.ID, bool) {
	if d.tablet.Site != (hlc.ID{}) {
		return d.tablet.Site, true
	}
	for _, m := range []record.Common{d.worker, d.team} {
		if site := m.GetSite(); len(site) == len(hlc.ID{}) {
			return hlc.ID(site), true
		}
	}
	if len(d.sites) == 1 {
		for only := range d.sites {
			return only, true
		}
	}
	return hlc.ID{}, false
}

// set sets a common field that is absent.
func set(m record.Common, number protoreflect.FieldNumber, v protoreflect.Value) {
	r := m.ProtoReflect()
	if f := r.Descriptor().Fields().ByNumber(number); !r.Has(f) {
		r.Set(f, v)
	}
}

// lend sets a common field that is absent, if from has it.
func lend(m, from record.Common, number protoreflect.FieldNumber) {
	r := from.ProtoReflect()
	if f := r.Descriptor().Fields().ByNumber(number); r.Has(f) {
		set(m, number, r.Get(f))
	}
}

// typed is a record of one kind.
type typed[M record.Common] struct {
	ID      hlc.ID
	Message M
}

// ofKind are the records of M's kind that are not deleted.
func ofKind[M record.Common](tx *localdb.Tx) ([]typed[M], error) {
	var none M
	k := record.KindOf(none)
	found, err := tx.OfKind(k)
	list := make([]typed[M], 0, len(found))
	for _, r := range found {
		m, err := message(k, r.View.Fields())
		if err != nil {
			return nil, err
		}
		list = append(list, typed[M]{r.ID, m.(M)})
	}
	return list, err
}
