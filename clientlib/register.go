package clientlib

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Person is somebody who takes part, as they say who they are. Phone, name, birth month and id number are kept nowhere: what is
// kept of them is a token, which is the same on all tablets of the deployment however they are written.
type Person struct {
	// Basis is by what the person is told apart: the phone; name, birth month and village; or the id number.
	Basis recordv1.TokenBasis
	Phone string
	Name  string
	// BirthMonth is YYYYMM: 195803.
	BirthMonth int32
	// Village is a name or a code. It is kept with the participant.
	Village  string
	IDNumber string
	// Sex, AgeBand and Disability are kept; zero for what is not known.
	Sex        recordv1.Sex
	AgeBand    uint32
	Disability recordv1.Disability
}

// Registration is what came of registering a person at an activity.
type Registration struct {
	Participant, Attendance hlc.ID
	// Known: the person was registered in this deployment before, as far as this tablet knows.
	Known bool
	// Again: the person was registered at this activity before. Nothing was logged.
	Again bool
}

// Register registers a person at a group session, community activity or outreach, with or without a network: it logs the
// participant, unless one with the same token is on this tablet, and their attendance, unless there is one. What is
// deleted counts as not there.
//
// Codes of errors: linkage_key_missing, for a tablet that has not synced yet; person_invalid, phone_invalid, name_invalid,
// birth_month_invalid, village_invalid, id_number_invalid; and those of logging.
func (s *Store) Register(ctx context.Context, activity hlc.ID, p Person) (Registration, error) {
	token, err := s.ClientToken(ctx, p)
	if err != nil {
		return Registration{}, err
	}
	var r Registration
	err = s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		r = Registration{}
		d, err := s.desk(tx, t)
		if err != nil {
			return err
		}
		participant, known, err := tx.Participant(token)
		if err != nil {
			return err
		}
		attendance, again, err := tx.Attendance(activity, token)
		if err != nil {
			return err
		}
		r = Registration{Participant: participant.ID, Attendance: attendance.ID, Known: known || again, Again: again}
		if again {
			r.Participant = attendance.View.Get(fieldParticipant).ID()
			return nil
		}
		if !known {
			if r.Participant, err = s.logAt(d, p.participant(token)); err != nil {
				return err
			}
		}
		r.Attendance, err = s.logAt(d, p.attendance(token, activity, r.Participant))
		return err
	})
	if err != nil {
		return Registration{}, err
	}
	return r, nil
}

// fieldParticipant is the number of the participant's field in an Attendance.
const fieldParticipant = 17

// ClientToken is the token of a person, as the client_tokens of a case have it. It takes some 50 to 200 ms and 19 MiB on a cheap
// tablet. Codes of errors as for Register.
func (s *Store) ClientToken(ctx context.Context, p Person) ([]byte, error) {
	var key []byte
	err := s.read(ctx, func(tx *localdb.Tx, t *localdb.Tablet) (err error) {
		if key, err = linkageKey(tx, t); err != nil {
			return err
		}
		now, setBack := s.now(t)
		if month := now.AddDate(0, 1, 0); !setBack && p.Basis == recordv1.TokenBasis_TOKEN_BASIS_NAME_BIRTH_MONTH_VILLAGE && int(p.BirthMonth) > month.Year()*100+int(month.Month()) {
			return fail(CodeBirthMonthInvalid, "a month that has not come")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	token, err := record.Token(key, record.Identity{Basis: p.Basis, Phone: p.Phone, Name: p.Name, BirthMonth: p.BirthMonth, Village: p.Village, IDNumber: p.IDNumber})
	var wrong *record.IdentityError
	if errors.As(err, &wrong) {
		return nil, &Error{identityCodes[wrong.Part], err}
	}
	return token[:], err
}

// identityCodes are what is said of each part of an identity that is wrong.
var identityCodes = map[record.IdentityPart]string{
	record.IdentityBasis: CodePersonInvalid, record.IdentityPhone: CodePhoneInvalid, record.IdentityName: CodeNameInvalid,
	record.IdentityBirthMonth: CodeBirthMonthInvalid, record.IdentityVillage: CodeVillageInvalid, record.IdentityIDNumber: CodeIDNumberInvalid,
}

// linkageKey is the deployment's. A server older than this program has made none.
func linkageKey(tx *localdb.Tx, t *localdb.Tablet) ([]byte, error) {
	deployment, _, err := tx.Record(t.Deployment)
	if err != nil {
		return nil, err
	}
	key, _ := record.CutBytes(deployment.View.Get(record.LinkageKeyField).Value)
	if len(key) != record.LinkageKeyBytes {
		return nil, fail(CodeLinkageKeyMissing, "the deployment's record has no linkage key")
	}
	return key, nil
}

func (p Person) participant(token []byte) *recordv1.Participant {
	m := &recordv1.Participant{Token: token, Basis: p.Basis.Enum()}
	if p.Village != "" {
		m.Village = &p.Village
	}
	m.Sex, m.AgeBand, m.Disability = p.counted()
	return m
}

func (p Person) attendance(token []byte, activity, participant hlc.ID) *recordv1.Attendance {
	m := &recordv1.Attendance{Activity: activity[:], Participant: participant[:], Token: token}
	m.Sex, m.AgeBand, m.Disability = p.counted()
	return m
}

// counted is what totals are divided by, as far as it is known.
func (p Person) counted() (sex *recordv1.Sex, ageBand *uint32, disability *recordv1.Disability) {
	if p.Sex != recordv1.Sex_SEX_UNKNOWN {
		sex = p.Sex.Enum()
	}
	if p.AgeBand != 0 {
		ageBand = proto.Uint32(p.AgeBand)
	}
	if p.Disability != recordv1.Disability_DISABILITY_UNKNOWN {
		disability = p.Disability.Enum()
	}
	return sex, ageBand, disability
}
