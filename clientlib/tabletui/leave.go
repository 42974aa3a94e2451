package tabletui

import (
	"net/http"

	"levee/clientlib"
)

// safety is how safe the worker's own work is.
type safety struct {
	Badge badge
	// Unsafe are what is not safe yet, each with what to do; Value is where that is done, if it is elsewhere.
	Unsafe []choice
	// Notes are what is safe, but not settled.
	Notes []choice
	Wrong string
	// Ending is what is said when the deployment comes to its end; nil before that.
	Ending *ending
	Safe   bool
}

func (v *visit) handoverSafe() error {
	body, _, err := v.handover("safe")
	if err != nil {
		return err
	}
	if body.Safe, err = v.safety(body); err != nil {
		return err
	}
	return v.showHandover(http.StatusOK, body)
}

// handoverSafeState is the part of that page that moves by itself.
func (v *visit) handoverSafeState() error {
	body, _, err := v.handover("safe")
	if err != nil {
		return err
	}
	if body.Safe, err = v.safety(body); err != nil {
		return err
	}
	return v.part("handover", "safe", &page{visit: v, Body: body})
}

func (v *visit) handoverSync() error {
	v.desk.syncer.Now()
	return v.to(pathHandoverSafe)
}

func (v *visit) handoverTablet() error { return v.askToLeave(http.StatusOK, "") }

func (v *visit) askToLeave(status int, wrong string) error {
	body, _, err := v.handover("tablet")
	if err != nil {
		return err
	}
	if body.Safe, err = v.safety(body); err != nil {
		return err
	}
	body.Error = wrong
	return v.showHandover(status, body)
}

// successorEnrols leads the successor to where a tablet is set up for another worker.
func (v *visit) successorEnrols() error {
	v.desks.lock()
	return v.to(pathEnrol)
}

// leave takes the worker off the tablet, for good.
func (v *visit) leave() error {
	err := v.store().Verify(v.context(), clientlib.PIN(v.r.PostFormValue("pin")))
	if err == nil {
		err = v.store().Leave(v.context())
	}
	switch clientlib.Code(err) {
	case "", clientlib.CodeKeyDestroyed: // the latter by a double tap
	case clientlib.CodeUnsafeChanges:
		return v.askToLeave(http.StatusConflict, clientlib.Message(err, v.Lang()))
	default:
		return v.refusedPIN(err, func(text string) error { return v.askToLeave(http.StatusUnprocessableEntity, text) })
	}
	if err := v.desk.set(func(s *settings) { s.Handover, s.Seen = handing{}, nil }); err != nil {
		return err
	}
	if err := v.desks.drop(v.desk); err != nil {
		return err
	}
	return v.done(pathSignIn, "left")
}
