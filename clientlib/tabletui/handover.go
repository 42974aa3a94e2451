package tabletui

import (
	"net/http"
	"slices"
	"strings"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// handing is how far a handover has got. It can be left and taken up again at any time.
type handing struct {
	// To is the worker who takes over.
	To string `json:"to,omitempty"`
	// Left are the records that are not to be handed over, Handed those that were.
	Left   []string `json:"left,omitempty"`
	Handed []string `json:"handed,omitempty"`
}

// handoverSteps are the steps after another, each a page of its own, with the messages for them.
var handoverSteps = []struct{ path, title string }{
	{pathHandoverTo, "handover_to"}, {pathHandoverWhat, "handover_what"}, {pathHandoverSheet, "handover_sheet"}, {pathHandoverSafe, "handover_safe"}, {pathHandoverTablet, "handover_tablet"},
}

const (
	pathHandoverTo     = pathHandover + "/to"
	pathHandoverWhat   = pathHandover + "/what"
	pathHandoverCheck  = pathHandover + "/check"
	pathHandoverSheet  = pathHandover + "/sheet"
	pathHandoverSafe   = pathHandover + "/safe"
	pathHandoverTablet = pathHandover + "/tablet"
)

// handoverBody is what the pages of the handover show, each its part.
type handoverBody struct {
	// Step is the page: "", or what its address ends with.
	Step string
	// Steps are all of them with how it stands with each; Next is where one goes on.
	Steps []choice
	Next  string
	// To is the name of who takes over; empty while nobody is chosen.
	To    string
	Mates []choice

	// Cases, Groups and Drafts are what there is to hand over, with what becomes of each in Note; Chosen are those that are ticked.
	Cases, Groups, Drafts []handoverItem
	// Forms are unfinished, and can't be handed over.
	Forms []item
	// Handed is what was handed over.
	Handed []item

	Sheet *handoverSheet
	Safe  *safety
	Error string
}

// Anything reports whether there is something to hand over.
func (b *handoverBody) Anything() bool { return len(b.all()) > 0 }

// Chosen are those that are ticked.
func (b *handoverBody) Chosen() []handoverItem {
	return slices.DeleteFunc(b.all(), func(i handoverItem) bool { return !i.Chosen })
}

func (b *handoverBody) all() []handoverItem { return slices.Concat(b.Cases, b.Groups, b.Drafts) }

// handoverItem is a record to hand over.
type handoverItem struct {
	item
	record clientlib.AnyRecord
	Chosen bool
}

// handover reads how far the handover has got, for one of its pages.
func (v *visit) handover(step string) (*handoverBody, *around, error) {
	a, err := v.around()
	if err != nil {
		return nil, nil, err
	}
	body := &handoverBody{Step: step}
	plan := v.settings.Handover
	to, err := parseID(plan.To)
	if err == nil && a.workers[to] != nil {
		body.To = a.workers[to].GetName()
	}
	cases, groups, drafts, err := v.store().ToHandOver(v.context())
	if err != nil {
		return nil, nil, err
	}
	add := func(list *[]handoverItem, r clientlib.AnyRecord, note string) {
		one := handoverItem{item: v.item(r), record: r, Chosen: !slices.Contains(plan.Left, r.ID.String())}
		one.Note = note
		*list = append(*list, one)
	}
	for _, c := range cases {
		note := "takes_your_place"
		if string(c.Message.GetLead()) == string(a.me[:]) {
			note = "becomes_lead"
		}
		add(&body.Cases, common(c), v.T(note))
	}
	for _, g := range groups {
		add(&body.Groups, common(g), v.T("becomes_leader"))
	}
	for _, d := range drafts {
		if body.To != "" && slices.ContainsFunc(d.Message.GetCoWorkers(), func(w []byte) bool { return string(w) == string(to[:]) }) {
			continue // it was handed over, and stays hers as well
		}
		add(&body.Drafts, d, v.T("becomes_co_worker"))
	}
	if body.Forms, err = v.unfinished(); err != nil {
		return nil, nil, err
	}
	return body, a, v.handed(body, plan)
}

// handed is what was handed over.
func (v *visit) handed(body *handoverBody, plan handing) error {
	for _, text := range plan.Handed {
		id, err := parseID(text)
		if err != nil {
			continue
		}
		r, err := v.store().Record(v.context(), id)
		switch {
		case clientlib.Code(err) == clientlib.CodeRecordMissing: // it has left the tablet
		case err != nil:
			return err
		default:
			body.Handed = append(body.Handed, v.item(r))
		}
	}
	return nil
}

func (v *visit) showHandover(status int, body *handoverBody) error {
	title, back := v.T("nav_handover"), pathHandover
	for _, s := range handoverSteps {
		if s.path == pathHandover+"/"+body.Step {
			title = v.T(s.title)
		}
	}
	switch body.Step {
	case "":
		back = pathMore
	case "check":
		title, back = v.T("handover_check"), pathHandoverWhat
	}
	return v.showAs(status, "handover", &page{Title: title, Back: back, Body: body})
}

// handoverPage shows the steps, and leads to the next.
func (v *visit) handoverPage() error {
	body, _, err := v.handover("")
	if err != nil {
		return err
	}
	safe, err := v.safety(body)
	if err != nil {
		return err
	}
	open := len(body.Chosen()) + len(body.Forms)
	stands := map[string]string{
		pathHandoverTo: body.To, pathHandoverWhat: v.N("to_hand_over", open), pathHandoverSheet: "", pathHandoverSafe: safe.Badge.Text, pathHandoverTablet: v.T("handover_tablet_last"),
	}
	done := map[string]bool{pathHandoverTo: body.To != "", pathHandoverWhat: body.To != "" && open == 0, pathHandoverSafe: safe.Safe}
	if !safe.Safe {
		stands[pathHandoverSafe] = safe.Unsafe[0].Label
	}
	if done[pathHandoverWhat] {
		stands[pathHandoverWhat] = v.T("nothing_to_hand_over")
	}
	for _, s := range handoverSteps {
		body.Steps = append(body.Steps, choice{Value: s.path, Label: v.T("step_and_state", v.T(s.title), stands[s.path]), Chosen: done[s.path]})
		if stands[s.path] == "" {
			body.Steps[len(body.Steps)-1].Label = v.T(s.title)
		}
	}
	switch {
	case body.To == "":
		body.Next = pathHandoverTo
	case open > 0:
		body.Next = pathHandoverWhat
	case !safe.Safe:
		body.Next = pathHandoverSafe
	default:
		body.Next = pathHandoverTablet
	}
	return v.showHandover(http.StatusOK, body)
}

// mates are those who can take over: they see what her team has.
func (v *visit) mates(a *around) []choice {
	team := string(a.workers[a.me].GetTeam())
	today := a.day(v)
	var all []choice
	for id, w := range a.workers {
		its := team == "" || string(w.GetTeam()) == team || slices.ContainsFunc(w.GetSupervises(), func(t []byte) bool { return string(t) == team })
		if id == a.me || !its || w.GetToOn() != 0 && record.Date(w.GetToOn()) < today {
			continue
		}
		label := w.GetName()
		if role := w.GetRole(); role != recordv1.Role_ROLE_UNKNOWN {
			label = v.T("worker_in", label, a.terms.OptionOf(role.Descriptor(), role.Number()).Label)
		}
		all = append(all, choice{Value: id.String(), Label: label, Chosen: id.String() == v.settings.Handover.To})
	}
	slices.SortFunc(all, func(x, y choice) int { return strings.Compare(x.Label, y.Label) })
	if len(all) == 1 {
		all[0].Chosen = true
	}
	return all
}

func (v *visit) handoverTo() error { return v.askSuccessor(http.StatusOK, "") }

func (v *visit) askSuccessor(status int, wrong string) error {
	body, a, err := v.handover("to")
	if err != nil {
		return err
	}
	body.Mates, body.Error = v.mates(a), wrong
	return v.showHandover(status, body)
}

func (v *visit) handoverToChosen() error {
	a, err := v.around()
	if err != nil {
		return err
	}
	to := v.r.PostFormValue("to")
	if !slices.ContainsFunc(v.mates(a), func(m choice) bool { return m.Value == to }) {
		return v.askSuccessor(http.StatusUnprocessableEntity, v.T("choose_successor"))
	}
	if err := v.desk.set(func(s *settings) { s.Handover.To = to }); err != nil {
		return err
	}
	return v.to(pathHandoverWhat)
}

func (v *visit) handoverWhat() error {
	body, _, err := v.handover("what")
	if err != nil {
		return err
	}
	if body.To == "" {
		return v.to(pathHandoverTo)
	}
	return v.showHandover(http.StatusOK, body)
}

func (v *visit) handoverWhatChosen() error {
	body, _, err := v.handover("what")
	if err != nil {
		return err
	}
	var left []string
	for _, i := range body.all() {
		if !slices.Contains(v.sent()["record"], i.ID) {
			left = append(left, i.ID)
		}
	}
	if err := v.desk.set(func(s *settings) { s.Handover.Left = left }); err != nil {
		return err
	}
	if len(left) == len(body.all()) { // nothing is handed over
		return v.to(pathHandover)
	}
	return v.to(pathHandoverCheck)
}

// handoverForm saves an unfinished form as it is, as an incomplete record.
func (v *visit) handoverForm() error {
	f, err := v.formAsked()
	switch {
	case clientlib.Code(err) == clientlib.CodeFormDone: // a double tap
		return v.done(pathHandoverWhat, "saved")
	case err != nil:
		return err
	}
	if f.unlockFirst() {
		return v.to(pathUnlock + "?next=" + pathEscape(pathHandoverWhat))
	}
	f.back = pathHandoverWhat
	if f.standing.Message != nil {
		return f.update(doDraft)
	}
	return f.log(doDraft)
}

// handoverCheck says what will change.
func (v *visit) handoverCheck() error {
	body, _, err := v.handover("check")
	if err != nil {
		return err
	}
	if body.To == "" || len(body.Chosen()) == 0 {
		return v.to(pathHandover)
	}
	return v.showHandover(http.StatusOK, body)
}

// handOver hands over what is ticked.
func (v *visit) handOver() error {
	body, _, err := v.handover("check")
	if err != nil {
		return err
	}
	to, err := parseID(v.settings.Handover.To)
	if err != nil || body.To == "" {
		return v.to(pathHandoverTo)
	}
	h := clientlib.Handover{To: to}
	var handed []string
	for _, i := range body.Chosen() {
		h.Records = append(h.Records, i.record.ID)
		handed = append(handed, i.ID)
	}
	if len(handed) > 0 { // else a double tap
		if err := v.store().HandOver(v.context(), h); err != nil {
			return err
		}
		v.desk.syncer.Wake(false)
	}
	err = v.desk.set(func(s *settings) {
		s.Handover.Handed = slices.Concat(slices.DeleteFunc(slices.Clone(s.Handover.Handed), func(id string) bool { return slices.Contains(handed, id) }), handed)
	})
	if err != nil {
		return err
	}
	return v.done(pathHandover, "handed_over")
}

func (v *visit) sheetCase(a *around, l clientlib.CaseLine) sheetCase {
	day := func(d record.Date) string {
		if d == 0 {
			return v.T("none_yet")
		}
		return v.Date(d)
	}
	one := sheetCase{Title: v.headline(common(l.Record))}
	if len(l.Names) > 0 {
		one.Fields = append(one.Fields, field{v.T("client_names"), v.List(l.Names)})
	}
	stage := l.Message.GetStage()
	one.Fields = append(one.Fields,
		field{a.label(fieldOf(recordv1.Kind_KIND_CASE, "stage")), a.terms.OptionOf(stage.Descriptor(), stage.Number()).Label},
		field{v.T("next_due"), day(l.NextDue)}, field{v.T("session_of_late"), day(l.LastSession)})
	return one
}

// safety is how safe the worker's own work is, and what to do where it is not.
func (v *visit) safety(body *handoverBody) (*safety, error) {
	state := v.desk.syncer.State()
	st, err := v.store().Status(v.context())
	if err != nil {
		return nil, err
	}
	state.Status = st
	s := &safety{Badge: v.badgeOf(state)}
	if st.Unsent > 0 {
		s.Unsafe = append(s.Unsafe, choice{Label: v.N("unsent_todo", st.Unsent)})
	}
	if st.Sent > 0 {
		s.Unsafe = append(s.Unsafe, choice{Label: v.N("sent_todo", st.Sent)})
	}
	if n := len(body.Forms); n > 0 {
		s.Unsafe = append(s.Unsafe, choice{Label: v.N("forms_todo", n), Value: pathHandoverWhat})
	}
	if n := len(body.Chosen()); n > 0 {
		s.Notes = append(s.Notes, choice{Label: v.N("to_hand_over", n), Value: pathHandoverWhat})
	}
	if n := st.Held - st.Addendum.Waiting; n > 0 {
		s.Notes = append(s.Notes, choice{Label: v.N("held_count", n), Value: pathInbox})
	}
	if s.Ending, err = v.ending(); err != nil {
		return nil, err
	}
	if state.Err != nil {
		s.Wrong = clientlib.Message(state.Err, v.Lang())
	}
	s.Safe = len(s.Unsafe) == 0
	return s, nil
}
