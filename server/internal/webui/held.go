package webui

import (
	"net/url"
	"slices"
	"strconv"

	"levee/server/internal/access"
	"levee/server/internal/progress"
	"levee/server/internal/review"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// heldChanges lists the changes that came and are not applied.
func (v *visit) heldChanges() error {
	after, _ := strconv.ParseUint(v.QueryParam("after"), 10, 64) // else the first page
	found, next, err := v.within.Progress.Held(v.context(), progress.Page[uint64]{After: after, Limit: settlePage, Sees: func(team hlc.ID) bool { return v.may(access.SeeHeld, team) }})
	if err != nil {
		return err
	}
	t := v.terms()
	body := waitingList{Lead: v.T("held_lead"), Nothing: v.T("no_held")}
	for _, h := range found {
		row := waitingRow{To: v.To(v.toIn("held", h.Change.String())), Name: v.T("unreadable"), What: v.because(h.Code), Team: h.Team.Name, Who: v.workerName(h.Worker.ID), When: v.Time(h.Received)}
		if record.Known(h.Kind) {
			row.Name = t.KindLabel(h.Kind)
		}
		body.Rows = append(body.Rows, row)
	}
	if next != 0 {
		body.More = v.To(v.toIn("held") + "?" + url.Values{"after": {strconv.FormatUint(next, 10)}}.Encode())
	}
	return v.settleList(v.T("nav_held"), body)
}

// heldFor are the messages that say why a change is held to who can have such changes applied, where its author is told to ask somebody.
var heldFor = map[record.Code]string{
	record.CodeNotYourTeam:        "held_not_your_team",
	record.CodeNotAllowed:         "held_not_allowed",
	record.CodeRecordMissing:      "held_record_missing",
	record.CodeOwnerMissing:       "held_owner_missing",
	record.CodeUnknownPlace:       "held_unknown_place",
	record.CodeUnknownServiceArea: "held_unknown_area",
	record.CodeUnproven:           "held_unproven",
	record.CodeUnconfirmed:        "held_unconfirmed",
	record.CodeDeviceRevoked:      "held_device_revoked",
	record.CodeStampInFuture:      "held_stamp_in_future",
	record.CodeDeploymentClosed:   "held_deployment_closed",
}

// because says why a change is held: what can be done about it to who can have such changes applied, and to everybody else what its
// author is told.
func (v *visit) because(code record.Code) string {
	if name, ok := heldFor[code]; ok && access.Release(v.person, code) {
		return v.T(name)
	}
	return record.Message(code, v.Lang())
}

// heldChange shows why a change is held and what it would do, and takes what is to become of it.
func (v *visit) heldChange() error {
	id, err := v.id("change")
	if err != nil {
		return err
	}
	h, err := v.within.Review.Held(v.context(), v.reader(), id)
	if err != nil {
		return err
	}
	f := v.form("submit_decide").add(&field{Name: "decision", Sort: "radio", Required: true, Options: []option{{"release", v.T("decision_release")}, {"discard", v.T("decision_discard")}}},
		&field{Name: "reason", Required: true})
	if v.filled(f) {
		decision, done := recordv1.Decision_DECISION_DISCARD, "discarded"
		if f.value("decision") == "release" {
			decision, done = recordv1.Decision_DECISION_RELEASE, "released"
		}
		err := v.within.Review.Decide(v.context(), v.reader(), id, decision, f.value("reason"))
		switch problem.CodeOf(err) {
		case problem.InvalidArgument:
			f.Error = v.T("wrong_decision")
		default:
			if err != nil {
				return err
			}
		}
		if err == nil {
			return v.done(v.toIn("held"), done)
		}
	}
	return v.showHeld(h, f)
}

func (v *visit) showHeld(h *review.Held, f *form) error {
	t := v.terms()
	body := struct {
		Back, Why, Who, Tablet, Received, Made string
		Makes, Hidden, May                     bool
		Rows                                   []compared
	}{Back: v.To(v.toIn("held")), Why: v.because(h.Code), Who: v.workerName(h.Worker), Tablet: h.Tablet, Received: v.Time(h.Received), Makes: h.Makes, Hidden: h.Message == nil,
		May: v.may(access.DecideHeld, v.within.Syncing.Person(h.Worker).Team)}
	if !h.Made.IsZero() {
		body.Made = v.Time(h.Made)
	}
	title := v.T("unreadable")
	if record.Known(h.Kind) {
		title = t.KindLabel(h.Kind)
	}
	if h.Message != nil {
		for _, field := range words.Settable(h.Kind) {
			if !h.Message.ProtoReflect().Has(field) && !slices.Contains(h.Cleared, field.Number()) {
				continue
			}
			row := compared{Field: t.Field(field), Other: v.valueOf(t, h.Message, field)}
			if h.Standing != nil && record.KindOf(h.Standing) == h.Kind {
				row.One = v.valueOf(t, h.Standing, field)
			}
			body.Rows = append(body.Rows, row)
		}
		if h.Message.GetDeleted() {
			body.Rows = append(body.Rows, compared{Field: v.T("value_whole"), Other: v.T("value_deleted")})
		}
	}
	return v.show("held", &page{Title: v.T("title_held", title), Form: f, Body: body})
}
