package clientlib

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
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
