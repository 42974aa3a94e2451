package main

import (
	"levee/clientlib/recordjson"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// closeOut adds how far the deployment has come, and what is left to do.
func (s *session) closeOut(row func(words.Message, string), st *recordjson.Status) {
	row(titleState, s.stateLine(st))
	if s.isBeingClosed() {
		row(titleOwed, s.owedLine(st.Owed))
	}
	if a := st.Addendum; a != nil {
		row(titleAddendum, s.Say(addendumIs, s.Number(int64(a.Waiting)), s.Number(int64(a.Accepted)), s.Number(int64(a.Declined))))
	}
	if c := st.Certificate; c != nil {
		row(titleCertificate, s.Say(certificateIs, s.Number(int64(c.Edition)), s.dayIn(c.IssuedOn)))
	}
}

// stateLine is the state in words; empty while nothing is known of an end.
func (s *session) stateLine(st *recordjson.Status) string {
	switch s.deployment().GetState() {
	case recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING:
		switch {
		case st.DaysLeft == nil:
			return s.Say(isClosing)
		case *st.DaysLeft == 0:
			return s.Say(isClosingLast)
		case *st.DaysLeft < 0:
			return s.Say(isClosingOver, s.dayIn(st.LastDay))
		default:
			return s.Say(isClosingLeft, s.dayIn(st.LastDay), s.Count(daysCount, int64(*st.DaysLeft)))
		}
	case recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED:
		return s.Say(isClosedSince, s.dayIn(st.Since))
	case recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED:
		return s.Say(isArchived, s.dayIn(st.Since))
	default:
		if st.LastDay == "" {
			return ""
		}
		return s.Say(goesOnUntil, s.dayIn(st.LastDay))
	}
}

// isBeingClosed reports whether what is owed is owed now.
func (s *session) isBeingClosed() bool {
	state := s.deployment().GetState()
	return state == recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING || state == recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED
}

// logsLate reports whether what is logged of a kind waits for the coordinator.
func (s *session) logsLate(k record.Kind) bool {
	return k != recordv1.Kind_KIND_RISK_ALERT && s.deployment().GetState() == recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED
}

func (s *session) owedLine(owed *recordjson.Owed) string {
	var parts []string
	for _, one := range []struct {
		of words.Counted
		n  int
	}{
		{unsentCount, owed.Unsent}, {heldCount, owed.Held}, {owedReturned, owed.Returned}, {owedDrafts, owed.Drafts}, {owedForms, owed.Forms},
		{conflictCount, owed.Conflicts}, {owedCases, owed.OpenCases},
	} {
		if one.n > 0 {
			parts = append(parts, s.Count(one.of, int64(one.n)))
		}
	}
	if len(parts) == 0 {
		return s.Say(nothingOwed)
	}
	return s.List(parts)
}

// dayIn is a day of JSON as people read it.
func (s *session) dayIn(text string) string {
	day, err := record.ParseDate(text)
	if err != nil {
		return text
	}
	return s.Date(day)
}
