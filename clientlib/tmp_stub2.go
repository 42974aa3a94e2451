package clientlib

import (
	"context"
	"time"

	"levee/clientlib/words"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

type EmergencyNumber struct{ LabelZH, LabelEN, Number string }
type DutyPerson struct{ Name, Phone string }
type AlertState struct {
	ID          hlc.ID
	Seen        time.Time
	Level       recordv1.RiskLevel
	Sending     Sending
	Waiting     bool
	ConfirmedBy string
	ConfirmedAt time.Time
}
type EmergencyCard struct {
	Deployment        string
	Numbers           []EmergencyNumber
	Duty              []DutyPerson
	EscalationMinutes int
	Alerts            []AlertState
}
type AlertLine struct {
	Record[*recordv1.RiskAlert]
	ConfirmedBy string
	ConfirmedAt time.Time
}

func Emergency(string) (EmergencyCard, error)                                         { return EmergencyCard{}, nil }
func TakeAlert(string, hlc.ID, *recordv1.RiskAlert, time.Time) error                  { return nil }
func (s *Store) Alerts(context.Context) ([]AlertLine, error)                          { return nil, nil }
func SMSText(*recordv1.RiskAlert, string, time.Time, *words.Words) string             { return "x" }
