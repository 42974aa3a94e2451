package webui

import (
	"cmp"
	"errors"
	"html/template"
	"os"
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/handover"
	"levee/syncproto/hlc"
)

const pathHandOver = pathCloseout + "/hand-over"

// closeoutCaseRoutes are those by which cases go on elsewhere.
func closeoutCaseRoutes(r *router) {
	r.page(pathCloseout+"/referrals/:referral", access.SeeRecords, (*visit).referralForm)
	r.form(pathHandOver, access.HandOver, (*visit).handOver)
}

// referralForm shows a referral as a form to print, sign and hand over. The reading is noted.
func (v *visit) referralForm() error {
	id, err := v.id("referral")
	if err != nil {
		return err
	}
	printed, err := v.within.Handover.ReferralForm(v.context(), v.reader(), id, v.Lang())
	if err != nil {
		return err
	}
	return v.show("referral", &page{Title: v.T("title_referral"), Body: struct {
		Form template.HTML
		Back string
	}{printed, v.To(v.toCloseout())}})
}

// mostCases is how many cases can be chosen on the page; the command has no such limit.
const mostCases = 500

// handOver seals the files of chosen cases for another station, and sends what comes of it.
func (v *visit) handOver() error {
	cases, err := v.within.Handover.Cases(v.context())
	if err != nil {
		return err
	}
	slices.SortFunc(cases, func(a, b *handover.Case) int { return cmp.Or(cmp.Compare(a.No, b.No), hlc.CompareIDs(a.ID, b.ID)) })
	consequences := []string{v.T("hand_over_what"), v.T("hand_over_noted")}
	if len(cases) > mostCases {
		cases, consequences = cases[:mostCases], append(consequences, v.T("hand_over_more", mostCases))
	}
	chosen := &field{Name: "cases", Sort: "checks"}
	unasked := 0
	for _, c := range cases {
		name := cmp.Or(c.No, v.T("hand_over_no_number"))
		if !c.MayShare {
			name = v.T("hand_over_unasked", name)
			unasked++
		}
		chosen.Options = append(chosen.Options, option{c.ID.String(), name})
	}
	if unasked > 0 {
		consequences = append(consequences, v.N("hand_over_consent", int64(unasked)))
	}
	f := v.form("submit_hand_over").add(chosen, &field{Name: "station_key"}, &field{Name: "passphrase", Sort: "password", Fill: "new-password", Hint: v.T("passphrase_hint", handover.MinPassphrase)})
	show := func() error {
		return v.show("confirm", &page{Title: v.T("title_hand_over"), Form: f, Body: confirmBody{consequences, v.To(v.toCloseout())}})
	}
	if !v.filled(f) {
		return show()
	}
	if len(chosen.Values) == 0 {
		f.Error = v.T("done_none_chosen") // there may be none to choose
	}
	to := v.recipient(f)
	if !f.ok() {
		return show()
	}
	var ids []hlc.ID
	for _, id := range chosen.Values {
		ids = append(ids, parsed(id))
	}
	sealed, err := os.CreateTemp("", "levee-hand-over-*") // what lies there only the receiver opens
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(sealed.Close(), os.Remove(sealed.Name())) }()
	by := v.reader()
	if _, err := v.within.Handover.Write(v.context(), sealed, &by, ids, to); err != nil {
		return v.refused(err, f, nil, show)
	}
	return v.sendOpened("levee-cases.zip.age", sealed)
}

// recipient is to whom the form says that files are sealed: to a key, or to a passphrase.
func (v *visit) recipient(f *form) *handover.Recipient {
	key, passphrase := f.value("station_key"), f.value("passphrase")
	if (key == "") == (passphrase == "") {
		f.wrong("station_key", v.T("wrong_key_or_passphrase"))
		return nil
	}
	name, text, seal := "station_key", key, handover.ToKey
	if key == "" {
		name, text, seal = "passphrase", passphrase, handover.ToPassphrase
	}
	to, err := seal(text)
	switch {
	case errors.Is(err, handover.ErrPassphraseShort):
		f.wrong(name, v.T("passphrase_hint", handover.MinPassphrase))
	case err != nil:
		f.wrong(name, v.T("wrong_station_key"))
	}
	return to
}
