package tabletui

import (
	"net/http"
	"slices"

	"levee/clientlib"
)

// handoverSheet is what the successor should know of each, to be read aloud or printed.
type handoverSheet struct {
	From, Date string
	Cases      []sheetCase
	Others     []item
	// Names: they are shown, since the PIN was entered.
	Names bool
}

// sheetCase is a case on the sheet.
type sheetCase struct {
	Title  string
	Fields []field
}

// handoverSheetPage shows what the successor should know.
func (v *visit) handoverSheetPage() error {
	body, a, err := v.handover("sheet")
	if err != nil {
		return err
	}
	if body.To == "" {
		return v.to(pathHandoverTo)
	}
	until, names := v.desk.identifiedUntil(v.wall())
	if names {
		v.leaveAt(until, pathHandoverSheet)
	}
	sheet := &handoverSheet{From: a.workers[a.me].GetName(), Date: v.Date(a.day(v)), Names: names}
	wanted := slices.Clone(v.settings.Handover.Handed)
	for _, i := range body.Chosen() {
		wanted = append(wanted, i.ID)
	}
	lines, err := v.store().Cases(v.context(), clientlib.CaseQuery{Closed: true, Names: sheet.Names})
	if err != nil {
		return err
	}
	for _, l := range lines {
		if slices.Contains(wanted, l.ID.String()) {
			sheet.Cases = append(sheet.Cases, v.sheetCase(a, l))
		}
	}
	for _, i := range slices.Concat(body.Groups, body.Drafts) {
		if i.Chosen {
			sheet.Others = append(sheet.Others, i.item)
		}
	}
	for _, i := range body.Handed {
		if !slices.ContainsFunc(lines, func(l clientlib.CaseLine) bool { return l.ID.String() == i.ID }) {
			sheet.Others = append(sheet.Others, i)
		}
	}
	body.Sheet = sheet
	return v.showHandover(http.StatusOK, body)
}
