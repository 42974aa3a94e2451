package clientlib_test

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

func TestWhatIsMissingOfAConsent(t *testing.T) {
	const today record.Date = 20211008
	agreed := func(change func(*recordv1.Consent)) clientlib.Record[*recordv1.Consent] {
		m := &recordv1.Consent{
			Basis: recordv1.ConsentBasis_CONSENT_BASIS_CONSENT.Enum(), Scopes: []recordv1.ConsentScope{recordv1.ConsentScope_CONSENT_SCOPE_DATA},
			Giver: recordv1.ConsentGiver_CONSENT_GIVER_SELF.Enum(),
		}
		if change != nil {
			change(m)
		}
		return clientlib.Record[*recordv1.Consent]{Message: m}
	}
	emergency := agreed(func(m *recordv1.Consent) { m.Basis = recordv1.ConsentBasis_CONSENT_BASIS_EMERGENCY.Enum() })
	photo := agreed(func(m *recordv1.Consent) {
		m.Scopes = []recordv1.ConsentScope{recordv1.ConsentScope_CONSENT_SCOPE_PHOTO}
	})
	guardian := agreed(func(m *recordv1.Consent) { m.Giver = recordv1.ConsentGiver_CONSENT_GIVER_GUARDIAN.Enum() })
	withdrawn := agreed(func(m *recordv1.Consent) { m.WithdrawnOn = proto.Int32(20211008) })
	later := agreed(func(m *recordv1.Consent) { m.WithdrawnOn = proto.Int32(20211009) })
	adult, child, thirteen := &recordv1.Case{Age: proto.Uint32(14), AgeBand: proto.Uint32(3)}, &recordv1.Case{AgeBand: proto.Uint32(2)}, &recordv1.Case{Age: proto.Uint32(13)}
	type consents = []clientlib.Record[*recordv1.Consent]
	type gaps = []clientlib.ConsentGap
	for name, c := range map[string]struct {
		m     *recordv1.Case
		given consents
		born  int32
		want  gaps
	}{
		"nothing":           {adult, nil, 0, gaps{clientlib.ConsentMissing}},
		"consent":           {adult, consents{agreed(nil)}, 0, nil},
		"emergency":         {adult, consents{emergency}, 0, gaps{clientlib.ConsentEmergency}},
		"emergency, since":  {adult, consents{emergency, agreed(nil)}, 0, nil},
		"to pictures":       {adult, consents{photo}, 0, gaps{clientlib.ConsentMissing}},
		"withdrawn":         {adult, consents{withdrawn}, 0, gaps{clientlib.ConsentMissing}},
		"to be withdrawn":   {adult, consents{later}, 0, nil},
		"child":             {child, consents{agreed(nil)}, 0, gaps{clientlib.ConsentGuardian}},
		"child, guardian":   {child, consents{guardian}, 0, nil},
		"child, nothing":    {thirteen, nil, 0, gaps{clientlib.ConsentMissing, clientlib.ConsentGuardian}},
		"13 tomorrow is 14": {&recordv1.Case{}, consents{agreed(nil)}, 20071009, gaps{clientlib.ConsentGuardian}},
		"14 today":          {&recordv1.Case{}, consents{agreed(nil)}, 20071008, nil},
	} {
		file := clientlib.CaseFile{Case: clientlib.Record[*recordv1.Case]{Message: c.m}, Consents: c.given}
		if c.born != 0 {
			file.Identities = []clientlib.Record[*recordv1.CaseIdentity]{{Message: &recordv1.CaseIdentity{BirthDate: &c.born}}}
		}
		if got := file.ConsentGaps(&recordv1.Deployment{}, today); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v", name, got, c.want)
		}
	}
	// The bands are the deployment's: where one reaches beyond 14, it tells nothing.
	file := clientlib.CaseFile{Case: clientlib.Record[*recordv1.Case]{Message: child}, Consents: consents{agreed(nil)}}
	if got := file.ConsentGaps(&recordv1.Deployment{AgeBands: []uint32{5, 17}}, today); got != nil {
		t.Errorf("with other bands: %v", got)
	}
}
