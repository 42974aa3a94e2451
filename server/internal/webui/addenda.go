package webui

import (
	"maps"
	"slices"

	"levee/server/internal/closeout"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// addendaBody is what has come since the closing, by tablet. They are counted apart: Count says how much waits, and what would be made.
type addendaBody struct {
	Count   string
	Tablets []addendumRow
	Preview string
	Back    string
}

// addendumRow is what one tablet brought.
type addendumRow struct {
	ID, Name, Says string
	Changes        []addedChange
}

// addedChange is one change of an addendum; To shows what it would set.
type addedChange struct {
	ID, To, Kind, Does, At string
	Makes                  bool
}

// addenda lists what has come since the closing, to be accepted or declined.
func (v *visit) addenda() error {
	waiting, err := v.within.Closeout.Addenda(v.context())
	if err != nil {
		return err
	}
	body := addendaBody{Back: v.To(v.toCloseout())}
	count, made := 0, map[record.Kind]int{}
	for _, a := range waiting {
		count += len(a.Changes)
		for kind, n := range a.NewRecords() {
			made[kind] += n
		}
		row := addendumRow{ID: a.Device.ID.String(), Name: a.Device.Name, Says: v.sentences(v.T("addendum_says", a.Worker.Name, a.Team.Name, v.Time(a.First)), v.newRecords(a.NewRecords()))}
		if row.Name == "" {
			row.Name = v.T("tablet_unnamed")
		}
		for _, h := range a.Changes {
			row.Changes = append(row.Changes, v.addedChange(&a, h))
		}
		body.Tablets = append(body.Tablets, row)
	}
	body.Count = v.T("addenda_none")
	if count > 0 {
		body.Count = v.sentences(v.N("addenda_waiting", int64(count)), v.newRecords(made))
	}
	if count > 0 && !v.within.Closeout.Work().Running() {
		body.Preview = v.To(v.toCloseout("addenda", "preview"))
	}
	return v.show("addenda", &page{Title: v.T("title_addenda"), Body: body})
}

// newRecords says how many records of each kind would be made; empty for none.
func (v *visit) newRecords(counts map[record.Kind]int) string {
	var said []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		said = append(said, v.T("addenda_of_kind", v.kindLabel(kind), counts[kind]))
	}
	if len(said) == 0 {
		return ""
	}
	return v.T("addenda_new", v.List(said))
}

func (v *visit) kindLabel(kind record.Kind) string {
	if !record.Known(kind) {
		return v.T("unreadable")
	}
	return v.terms().KindLabel(kind)
}

func (v *visit) addedChange(a *closeout.Addendum, h progress.HeldChange) addedChange {
	row := addedChange{ID: h.Change.String(), To: v.To(v.toIn("held", h.Change.String())), Kind: v.kindLabel(h.Kind), Does: v.T("addendum_edits"), At: v.Time(h.Received), Makes: a.New[h.Record]}
	if row.Makes {
		row.Does = v.T("addendum_makes")
	}
	return row
}

// chosenChanges are those that were chosen of addenda: one by one, or all of a tablet.
func (v *visit) chosenChanges(waiting []closeout.Addendum) []closeout.Addendum {
	sent, err := v.FormParams()
	if err != nil {
		return nil
	}
	var chosen []closeout.Addendum
	for _, a := range waiting {
		all := slices.Contains(sent["tablet"], a.Device.ID.String())
		a.Changes = slices.DeleteFunc(slices.Clone(a.Changes), func(h progress.HeldChange) bool { return !all && !slices.Contains(sent["chosen"], h.Change.String()) })
		if len(a.Changes) > 0 {
			chosen = append(chosen, a)
		}
	}
	return chosen
}

// previewAddenda shows what was chosen, and asks what is to become of it.
func (v *visit) previewAddenda() error {
	return v.askAboutAddenda(v.addendaForm())
}

func (v *visit) addendaForm() *form {
	f := &form{wording: v.wording, Action: v.To(v.toCloseout("addenda", "decision")), Submit: "submit_decide"}
	return f.add(&field{Name: "decision", Sort: "radio", Required: true, Options: []option{{"accept", v.T("addenda_accept")}, {"decline", v.T("addenda_decline")}}},
		&field{Name: "reason", Sort: "area", Hint: v.T("addenda_reason_hint")})
}

func (v *visit) askAboutAddenda(f *form) error {
	waiting, err := v.within.Closeout.Addenda(v.context())
	if err != nil {
		return err
	}
	body := confirmBody{[]string{v.T("addenda_accepted_count"), v.T("addenda_declined_kept"), v.T("addenda_next_edition")}, v.To(v.toCloseout("addenda"))}
	made, count := map[record.Kind]int{}, 0
	for _, a := range v.chosenChanges(waiting) {
		for kind, n := range a.NewRecords() {
			made[kind] += n
		}
		for _, h := range a.Changes {
			f.Fields = append(f.Fields, &field{Name: "chosen", Sort: "hidden", Value: h.Change.String()})
			count++
		}
	}
	if count == 0 {
		return v.done(v.toCloseout("addenda"), "none_chosen")
	}
	return v.show("confirm", &page{Title: v.T("title_decide_addenda"), Lead: []string{v.sentences(v.N("addenda_chosen", int64(count)), v.newRecords(made))}, Form: f, Body: body})
}

// decideAddenda accepts or declines what was chosen.
func (v *visit) decideAddenda() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	f := v.addendaForm()
	if v.filled(f); f.ok() && f.value("decision") == "decline" && f.value("reason") == "" {
		f.wrong("reason", v.T("wrong_missing"))
	}
	if !f.ok() {
		return v.askAboutAddenda(f)
	}
	waiting, err := v.within.Closeout.Addenda(v.context())
	if err != nil {
		return err
	}
	var changes []hlc.ID
	for _, a := range v.chosenChanges(waiting) {
		for _, h := range a.Changes {
			changes = append(changes, h.Change)
		}
	}
	left, err := v.within.Closeout.Decide(v.context(), v.reader(), f.value("decision") == "accept", f.value("reason"), changes)
	if problem.CodeOf(err) == problem.InvalidArgument {
		return v.refused(err, f, nil, func() error { return v.askAboutAddenda(f) })
	}
	if err != nil {
		return err
	}
	done := "addenda_decided"
	if len(left) > 0 {
		done = "addenda_left"
	}
	return v.done(v.toCloseout(), done)
}
