package clientlib

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// waitingFile is an alert that waits for somebody to sign in. All that it says is in Sealed.
type waitingFile struct {
	Version int   `json:"version"`
	Seen    int64 `json:"seen"`
	Level   int32 `json:"level"`
	// Refused is the code of why it could not be logged when the file was opened.
	Refused string `json:"refused,omitempty"`
	Sealed  []byte `json:"sealed"`
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
