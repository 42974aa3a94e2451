package clientlib

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// EmergencyCard is what a tablet shows in an emergency before anybody has signed in. It tells nothing of any case.
type EmergencyCard struct {
	// Deployment is the deployment's name.
	Deployment string
	// TimeZone is its time zone; empty while it is not known.
	TimeZone string
	// Numbers are whom to phone first, Duty the workers to phone next, in this order: those on the duty list, or where nobody is on it, who supervises
	// the worker's team, and the coordinators.
	Numbers []EmergencyNumber
	Duty    []DutyPerson
	// EscalationMinutes is after how many an alert that nobody confirmed goes to the next on duty; 0 where the deployment sets none.
	EscalationMinutes int
	// Alerts are this worker's own that are not closed, the last seen first.
	Alerts []AlertState
}

// EmergencyNumber is a number to phone, with its name in 简体中文 and in English.
type EmergencyNumber struct {
	LabelZH string `json:"label_zh,omitempty"`
	LabelEN string `json:"label_en,omitempty"`
	Number  string `json:"number"`
}

// DutyPerson is a worker who is on duty. Phone is empty where none is known.
type DutyPerson struct {
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
}

// AlertState is how far a risk alert has got; not what it says.
type AlertState struct {
	// ID is the record's, or while the alert is Waiting that with which it was taken.
	ID    hlc.ID
	Seen  time.Time
	Level recordv1.RiskLevel
	// Sending is how far the alert has got.
	Sending Sending
	// Waiting says that the alert was taken before anybody had signed in, and is logged once somebody does.
	Waiting bool
	// Code is why a waiting alert could not be logged: alert_damaged, or what is wrong with it; "" while nothing is.
	Code string
	// ConfirmedBy is the name of who acknowledged it, at ConfirmedAt; empty and zero while nobody has.
	ConfirmedBy string
	ConfirmedAt time.Time
}

// cardFile is the emergency card as it lies beside a file.
type cardFile struct {
	Version           int               `json:"version"`
	Deployment        string            `json:"deployment"`
	TimeZone          string            `json:"time_zone,omitempty"`
	Numbers           []EmergencyNumber `json:"numbers"`
	Duty              []DutyPerson      `json:"duty"`
	EscalationMinutes int               `json:"escalation_minutes,omitempty"`
	// Key is what alerts are sealed to.
	Key []byte `json:"key"`
	// ClockOffset corrects the tablet's clock, in milliseconds. LastContact is the hour of the last contact, in milliseconds since 1970: a time
	// that has come, whatever the clock says.
	ClockOffset int64         `json:"clock_offset"`
	LastContact int64         `json:"last_contact"`
	Alerts      []cardedAlert `json:"alerts"`
	// Sum is over all the rest: a phone number with a digit that flipped leads astray.
	Sum []byte `json:"sum,omitempty"`
}

// cardedAlert is an alert on the card. Times are in milliseconds since 1970.
type cardedAlert struct {
	ID          []byte  `json:"id"`
	Seen        int64   `json:"seen"`
	Level       int32   `json:"level"`
	Sending     Sending `json:"sending"`
	ConfirmedBy string  `json:"confirmed_by,omitempty"`
	ConfirmedAt int64   `json:"confirmed_at,omitempty"`
}

// waitingFile is an alert that waits for somebody to sign in. All that it says is in Sealed.
type waitingFile struct {
	Version int   `json:"version"`
	Seen    int64 `json:"seen"`
	Level   int32 `json:"level"`
	// Refused is the code of why it could not be logged when the file was opened.
	Refused string `json:"refused,omitempty"`
	Sealed  []byte `json:"sealed"`
}

const emergencyVersion = 1

// Emergency is the emergency card of a tablet's file, for which no key is needed. It is empty while the tablet has none: before
// enrolment, when it is damaged until the file is opened next, and once the file's key is destroyed.
func Emergency(path string) (EmergencyCard, error) {
	file, err := readCard(path)
	if err != nil {
		return EmergencyCard{}, err
	}
	card := EmergencyCard{Deployment: file.Deployment, TimeZone: file.TimeZone, Numbers: file.Numbers, Duty: file.Duty, EscalationMinutes: file.EscalationMinutes}
	for _, a := range file.Alerts {
		card.Alerts = append(card.Alerts, a.state())
	}
	waiting, err := localdb.WaitingAlerts(path)
	if err != nil {
		return EmergencyCard{}, known(err)
	}
	for _, w := range waiting {
		card.Alerts = append(card.Alerts, waitingState(w))
	}
	slices.SortStableFunc(card.Alerts, func(a, b AlertState) int { return b.Seen.Compare(a.Seen) })
	return card, nil
}

func (a cardedAlert) state() AlertState {
	s := AlertState{Seen: time.UnixMilli(a.Seen), Level: recordv1.RiskLevel(a.Level), Sending: a.Sending, ConfirmedBy: a.ConfirmedBy}
	copy(s.ID[:], a.ID)
	if a.ConfirmedAt != 0 {
		s.ConfirmedAt = time.UnixMilli(a.ConfirmedAt)
	}
	return s
}

func waitingState(w localdb.WaitingAlert) AlertState {
	s := AlertState{ID: w.ID, Sending: Unsent, Waiting: true}
	file, ok := parseWaiting(w.Content)
	if ok {
		s.Seen, s.Level, s.Code = time.UnixMilli(file.Seen), recordv1.RiskLevel(file.Level), file.Refused
	}
	if w.Unread || !ok {
		s.Code = CodeAlertDamaged
	}
	return s
}

// readCard is the card beside a file; an empty one where there is none, or it is damaged.
func readCard(path string) (cardFile, error) {
	content, err := localdb.Card(path)
	if err != nil {
		return cardFile{}, known(err)
	}
	var file cardFile
	damaged := json.Unmarshal(content, &file) != nil
	sum := file.Sum
	file.Sum = nil
	whole, err := file.encode()
	if damaged || !bytes.Equal(sum, sumOf(whole)) {
		return cardFile{}, err
	}
	return file, err
}

func (f cardFile) encode() ([]byte, error) {
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the emergency card: %w", err)
	}
	return append(content, '\n'), nil
}

func sumOf(content []byte) []byte {
	sum := sha256.Sum256(content)
	return sum[:]
}

func parseWaiting(content []byte) (f waitingFile, ok bool) {
	return f, json.Unmarshal(content, &f) == nil && f.Version == emergencyVersion
}

// TakeAlert keeps a risk alert while nobody has signed in: on the disk when it returns, and sealed, so that from then on only the
// file's key opens it. It is logged when the file is opened next, or at the next sync of a program that has it open. Taken again under the
// same id, it takes the place of the first. now is the tablet's clock, right or wrong; it is when the danger was seen, unless m says that.
//
// Errors: an *InvalidError; codes key_needed, when the tablet has no emergency card: sign in, and log the alert; key_destroyed; storage_full.
func TakeAlert(path string, id hlc.ID, m *recordv1.RiskAlert, now time.Time) error {
	if _, err := localdb.LabelOf(path); errors.Is(err, localdb.ErrKeyDestroyed) {
		return known(err)
	}
	card, err := readCard(path)
	if err != nil {
		return err
	}
	var to [32]byte
	if copy(to[:], card.Key) != len(to) {
		return fail(CodeKeyNeeded, "there is no emergency card")
	}
	m = proto.CloneOf(m)
	if m.SeenAt == nil {
		// A clock that was set back says less than the last contact does.
		m.SeenAt = proto.Int64(max(now.UnixMilli()+card.ClockOffset, card.LastContact))
	}
	if err := acceptable(m); err != nil {
		return err
	}
	encoded, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("keeping the alert: %w", err)
	}
	sealed, err := localdb.SealAlert(append(id[:len(id):len(id)], encoded...), to)
	if err != nil {
		return err
	}
	return known(waitingFile{Version: emergencyVersion, Seen: m.GetSeenAt(), Level: int32(m.GetLevel()), Sealed: sealed}.keep(path, id))
}

func (f waitingFile) keep(path string, id hlc.ID) error {
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("keeping the alert: %w", err)
	}
	return localdb.KeepAlert(path, id, append(content, '\n'))
}

// acceptable says what is wrong with an alert, as far as that can be told without the file: whoever writes it can mend it now.
func acceptable(m *recordv1.RiskAlert) error {
	const kind = recordv1.Kind_KIND_RISK_ALERT
	own := &recordv1.RiskAlert{Subject: m.Subject, Type: m.Type, Level: m.Level, Done: m.Done, ReportedTo: m.ReportedTo, SupervisorTold: m.SupervisorTold}
	encoded, err := proto.Marshal(own)
	if err != nil { // a text that is not UTF-8
		return &InvalidError{kind, []record.Problem{{Code: record.CodeInvalidUTF8, Cause: err}}}
	}
	if len(encoded) > batch.MaxChangeBytes/2 { // the rest is filled in
		return &InvalidError{kind, []record.Problem{{Code: record.CodeTooLarge}}}
	}
	fields, err := record.Canonical(kind, encoded)
	if err != nil {
		return fmt.Errorf("keeping the alert: %w", err)
	}
	if problems := record.Validate(kind, fields, record.Deployment{}); len(problems) > 0 {
		return &InvalidError{kind, problems}
	}
	return nil
}

// logWaitingAlerts logs the alerts that were taken while nobody had signed in, and says how many it logged. Those that can't be
// logged now are kept, and none stands in the way of anything else.
func (s *Store) logWaitingAlerts(ctx context.Context) (logged int) {
	waiting, err := localdb.WaitingAlerts(s.db.Path())
	if err != nil {
		return 0
	}
	for _, w := range waiting {
		if !w.Unread && s.logWaitingAlert(ctx, w) {
			logged++
		}
	}
	return logged
}

func (s *Store) logWaitingAlert(ctx context.Context, w localdb.WaitingAlert) bool {
	file, m := s.openAlert(w)
	if m == nil {
		_ = localdb.PutAlertAside(s.db.Path(), w.ID) // or the next time
		return false
	}
	// What a revoked tablet's worker saw is handed over like the rest.
	err := s.even(ctx, s.db.Write, func(tx *localdb.Tx, t *localdb.Tablet) error {
		d, err := s.desk(tx, t)
		if err != nil {
			return err
		}
		m := d.alertOf(m)
		made, done, err := s.logForm(tx, t, w.ID, Family{Record: m})
		if err != nil || !done {
			return err
		}
		// Logged, and then taken once more with other words, or removed too late.
		m.SeenAt, m.OccurredOn, m.Entry = nil, nil, nil
		err = s.updateAt(d, made[0], m, nil)
		if code := Code(err); code == CodeRecordDeleted || code == CodeRecordMissing {
			return nil
		}
		return err
	})
	var invalid *InvalidError
	switch {
	case err == nil:
		_ = localdb.RemoveAlert(s.db.Path(), w) // or the next time: it is logged once
		return true
	case errors.As(err, &invalid) && file.Refused != Code(err):
		file.Refused = Code(err)
		_ = file.keep(s.db.Path(), w.ID)
	}
	return false
}

// openAlert is what a waiting alert says; nil when that can't be read.
func (s *Store) openAlert(w localdb.WaitingAlert) (waitingFile, *recordv1.RiskAlert) {
	file, ok := parseWaiting(w.Content)
	if !ok {
		return file, nil
	}
	content, ok := s.db.OpenAlert(file.Sealed)
	m := &recordv1.RiskAlert{}
	if !ok || !bytes.HasPrefix(content, w.ID[:]) || proto.Unmarshal(content[len(w.ID):], m) != nil {
		return file, nil
	}
	return file, m
}

// alertOf is an alert that was taken earlier, as it is logged now: on its own day, and by no clock that was wrong. Nothing stands in its way
// that can be left out.
func (d *desk) alertOf(taken *recordv1.RiskAlert) *recordv1.RiskAlert {
	m := proto.CloneOf(taken)
	if m.OccurredOn == nil {
		m.OccurredOn = proto.Int32(int32(record.DateOf(time.UnixMilli(m.GetSeenAt()), d.deployment.Location)))
	}
	if m.Entry == nil {
		m.Entry = recordv1.Entry_ENTRY_LIVE.Enum()
	}
	if _, err := d.valid(recordv1.Kind_KIND_RISK_ALERT, &recordv1.RiskAlert{SeenAt: m.SeenAt, OccurredOn: m.OccurredOn}); err != nil {
		m.SeenAt, m.OccurredOn = nil, nil
	}
	if _, err := d.ownerOf(recordv1.Kind_KIND_RISK_ALERT, m); Code(err) == CodeOwnerMissing {
		m.Subject = nil // a case that this tablet may no longer have
	}
	return m
}

// renewCard writes the emergency card, if it is another than the one that is there. What stands in the way now is gone, or told,
// when the file is opened next.
func (s *Store) renewCard(ctx context.Context) {
	key, err := s.db.AlertKey()
	if err != nil {
		return
	}
	_ = s.db.WriteCard(ctx, func(tx *localdb.Tx) ([]byte, error) {
		t, err := tx.Tablet()
		if err != nil {
			return nil, err
		}
		file, err := cardOf(&look{tx: tx, tablet: t})
		if err != nil {
			return nil, err
		}
		file.Key = key[:]
		whole, err := file.encode()
		if err != nil {
			return nil, err
		}
		file.Sum = sumOf(whole)
		return file.encode()
	})
}

// cardOf is the card as the file stands; its key is left out.
func cardOf(l *look) (cardFile, error) {
	deployment, err := theDeployment(l.tx)
	if err != nil {
		return cardFile{}, err
	}
	file := cardFile{
		Version: emergencyVersion, Deployment: deployment.GetName(), TimeZone: deployment.GetTimeZone(), EscalationMinutes: int(deployment.GetEscalationMinutes()),
		ClockOffset: l.tablet.Offset.Milliseconds(), LastContact: l.tablet.LastContact.Truncate(time.Hour).UnixMilli(),
	}
	for _, n := range deployment.GetEmergencyNumbers() {
		file.Numbers = append(file.Numbers, EmergencyNumber{n.GetLabelZh(), n.GetLabelEn(), n.GetNumber()})
	}
	for _, id := range deployment.GetDutyList() {
		worker, err := l.worker(id)
		if err != nil {
			return cardFile{}, err
		}
		if worker.GetName() != "" {
			file.Duty = append(file.Duty, DutyPerson{worker.GetName(), worker.GetPhone()})
		}
	}
	if len(file.Duty) == 0 {
		if file.Duty, err = l.supervisors(); err != nil {
			return cardFile{}, err
		}
	}
	alerts, err := l.openAlerts()
	if err != nil {
		return cardFile{}, err
	}
	for _, a := range alerts {
		m := a.Message
		if !bytes.Equal(m.GetAuthor(), l.tablet.Worker[:]) {
			continue
		}
		confirmed, err := l.worker(m.GetAcknowledgedBy())
		if err != nil {
			return cardFile{}, err
		}
		file.Alerts = append(file.Alerts, cardedAlert{
			ID: a.ID[:], Seen: m.GetSeenAt(), Level: int32(m.GetLevel()), Sending: a.Sending, ConfirmedBy: confirmed.GetName(), ConfirmedAt: m.GetAcknowledgedAt(),
		})
	}
	return file, nil
}

// worker is a worker by id; an empty one where there is none.
func (l *look) worker(id []byte) (*recordv1.Worker, error) {
	m := &recordv1.Worker{}
	return m, (&desk{tx: l.tx}).find(id, m)
}

// supervisors are whom a worker phones where nobody is on duty: those who supervise the worker's team, then the coordinators, as far as
// their phones are known.
func (l *look) supervisors() ([]DutyPerson, error) {
	found, err := l.ofKind(recordv1.Kind_KIND_WORKER)
	if err != nil {
		return nil, err
	}
	me, err := l.worker(l.tablet.Worker[:])
	if err != nil {
		return nil, err
	}
	var supervisors, coordinators []DutyPerson
	for _, r := range found {
		m, err := message(r.Kind, r.View.Fields())
		if err != nil {
			return nil, err
		}
		w := m.(*recordv1.Worker)
		one := DutyPerson{w.GetName(), w.GetPhone()}
		mine := func(team []byte) bool { return len(team) > 0 && bytes.Equal(team, me.GetTeam()) }
		switch {
		case w.GetPhone() == "" || r.ID == l.tablet.Worker:
		case w.GetRole() == recordv1.Role_ROLE_COORDINATOR:
			coordinators = append(coordinators, one)
		case w.GetRole() == recordv1.Role_ROLE_SUPERVISOR && (mine(w.GetTeam()) || slices.ContainsFunc(w.GetSupervises(), mine)):
			supervisors = append(supervisors, one)
		}
	}
	return append(supervisors, coordinators...), nil
}

// openAlerts are the risk alerts that are not closed, the last seen first.
func (l *look) openAlerts() ([]Record[*recordv1.RiskAlert], error) {
	found, err := l.ofKind(recordv1.Kind_KIND_RISK_ALERT)
	if err != nil {
		return nil, err
	}
	alerts, err := pick[*recordv1.RiskAlert](l, found)
	if err != nil {
		return nil, err
	}
	alerts = slices.DeleteFunc(alerts, func(a Record[*recordv1.RiskAlert]) bool { return a.Message.GetClosedOn() != 0 })
	slices.SortStableFunc(alerts, func(a, b Record[*recordv1.RiskAlert]) int {
		return time.UnixMilli(b.Message.GetSeenAt()).Compare(time.UnixMilli(a.Message.GetSeenAt()))
	})
	return alerts, nil
}

// AlertLine is an open risk alert.
type AlertLine struct {
	Record[*recordv1.RiskAlert]
	// ConfirmedBy is the name of who acknowledged it, at ConfirmedAt; empty and zero while nobody has.
	ConfirmedBy string
	ConfirmedAt time.Time
}

// Alerts are the risk alerts on this tablet that are not closed, this worker's own and those of others that this worker may see, the last seen first.
func (s *Store) Alerts(ctx context.Context) ([]AlertLine, error) {
	var lines []AlertLine
	err := s.look(ctx, func(l *look) error {
		alerts, err := l.openAlerts()
		for _, a := range alerts {
			line := AlertLine{Record: a}
			confirmed, err := l.worker(a.Message.GetAcknowledgedBy())
			if err != nil {
				return err
			}
			if line.ConfirmedBy = confirmed.GetName(); a.Message.AcknowledgedAt != nil {
				line.ConfirmedAt = time.UnixMilli(a.Message.GetAcknowledgedAt())
			}
			lines = append(lines, line)
		}
		return err
	})
	return lines, err
}
