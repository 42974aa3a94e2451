package webui

import (
	"cmp"
	"strconv"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// arrivalBody is what the page shows that tells how a change came to the server.
type arrivalBody struct {
	// Tablet is empty for what the server made.
	Tablet, Worker, Team string
	Received             time.Time
	Changes              []arrivedRow
}

type arrivedRow struct {
	Record              link
	Number, What, State string
	// By is for whom the server made it; empty for what a tablet sent.
	By   string
	Look string
	// Asked: it is the one that the address names.
	Asked bool
}

// arrival shows the batch that brought a change, and the tablet that sent it.
func (v *visit) arrival() error {
	position, err := strconv.ParseUint(v.Param("position"), 10, 62)
	if err != nil {
		return problem.New(problem.NotFound)
	}
	a, err := v.within.Progress.Arrival(v.context(), position)
	if err != nil {
		return err
	}
	b := arrivalBody{Worker: a.Worker.Name, Team: a.Team.Name, Received: a.Received}
	if a.Device.ID != (hlc.ID{}) {
		b.Tablet = cmp.Or(a.Device.Name, v.T("tablet_without_name"))
	}
	terms, asked := v.terms(), false
	for _, c := range a.Changes {
		if !v.seesArrived(c) {
			continue
		}
		row := arrivedRow{Record: link{Name: terms.KindLabel(c.Kind)}, Number: v.Number(int64(c.Sequence)), By: c.By.Name, Asked: c.Position == position} //nolint:gosec // a tablet does not come that far
		if c.There {
			row.Record.To = v.To(v.toRecord(c.Record))
		}
		if c.What != "" {
			row.What = v.T(happened[c.What])
		}
		row.State, row.Look = v.arrivedState(c)
		asked = asked || row.Asked
		b.Changes = append(b.Changes, row)
	}
	if !asked {
		return problem.New(problem.NotFound)
	}
	return v.show("arrival", &page{Title: v.T("title_arrival"), Body: b})
}

// seesArrived reports whether the visitor sees that a change came. Of a record that is not there nobody knows whose it is.
func (v *visit) seesArrived(c progress.ArrivedChange) bool {
	action := access.Seeing(c.Kind)
	if !c.There {
		all, _ := access.Teams(v.person, action)
		return all
	}
	return v.may(action, c.Audience)
}

// arrivedState says what became of a change, and how that looks.
func (v *visit) arrivedState(c progress.ArrivedChange) (name, look string) {
	switch c.Outcome {
	case "applied":
		return v.T("arrived_applied"), "good"
	case "held":
		return v.Labelled(v.T("event_held"), v.because(c.Code)), "warn"
	case "discarded":
		return v.T("event_discarded"), "off"
	case "erased":
		return v.T("event_erased"), "off"
	default:
		return v.T("arrived_known"), "off"
	}
}
