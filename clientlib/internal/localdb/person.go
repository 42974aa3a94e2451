package localdb

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Numbers of the fields by which people are found.
const (
	participantToken   protowire.Number = 16 // of Participant
	attendanceActivity protowire.Number = 16 // of Attendance
	attendanceToken    protowire.Number = 18
)

// Participant is the first that was made of the participants with a token that are not deleted; ok is false when there is none.
func (tx *Tx) Participant(token []byte) (r Record, ok bool, err error) {
	return tx.byPerson(participantName(token))
}

// Attendance is the first that was made of a token's attendances at an activity that are not deleted; ok is false when there
// is none.
func (tx *Tx) Attendance(activity hlc.ID, token []byte) (r Record, ok bool, err error) {
	return tx.byPerson(attendanceName(activity, token))
}

func (tx *Tx) byPerson(secret string) (r Record, ok bool, err error) {
	name, err := tx.seal.digest(secret)
	if err != nil {
		return Record{}, false, err
	}
	found, err := tx.records(whereByPerson, name)
	if err != nil || len(found) == 0 {
		return Record{}, false, err
	}
	return found[0], true, nil
}

const whereByPerson = `WHERE r.person = $1 AND r.person > x'' AND r.deleted = 0 ORDER BY r.id LIMIT 1`

// Attendances are named with their activity: by their names nobody can tell which of them are one person's.
func participantName(token []byte) string { return "participant\x00" + string(token) }

func attendanceName(activity hlc.ID, token []byte) string {
	return "attendance\x00" + string(activity[:]) + string(token)
}

// person is by what a record is found, as a value for the column.
func (tx *Tx) person(kind record.Kind, view record.Registers) ([]byte, error) {
	var token hlc.ID
	var secret string
	switch kind {
	case recordv1.Kind_KIND_PARTICIPANT:
		token = view.Get(participantToken).ID()
		secret = participantName(token[:])
	case recordv1.Kind_KIND_ATTENDANCE:
		token = view.Get(attendanceToken).ID()
		secret = attendanceName(view.Get(attendanceActivity).ID(), token[:])
	default:
		return nil, nil
	}
	if token == (hlc.ID{}) {
		return []byte{}, nil
	}
	return tx.seal.digest(secret)
}

const withoutPerson = `SELECT id, kind, view FROM records INDEXED BY records_without_person WHERE person IS NULL AND kind IN (16, 17)`

// namePeople fills in by what people are found whom an older program stored. What can't be read is told by whatever needs it.
func (tx *Tx) namePeople() error {
	names := map[hlc.ID][]byte{}
	err := tx.each(func(row row) error {
		var of hlc.ID
		var kind record.Kind
		var sealed []byte
		if err := row.Scan(id{&of}, &kind, &sealed); err != nil {
			return err
		}
		state, err := tx.seal.open(recordView, of[:], sealed)
		if err != nil {
			return nil //nolint:nilerr // see above
		}
		view, err := record.DecodeState(state)
		if err != nil {
			return nil //nolint:nilerr // see above
		}
		names[of], err = tx.person(kind, view)
		return err
	}, withoutPerson)
	if err != nil {
		return fmt.Errorf("reading participants: %w", err)
	}
	for _, of := range inOrder(names) {
		if err := tx.exec(`UPDATE records SET person = $1 WHERE id = $2`, names[of], of[:]); err != nil {
			return fmt.Errorf("naming participants: %w", err)
		}
	}
	return nil
}
