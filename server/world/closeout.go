package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"levee/syncproto/record"
)

// officeScopes are what the coordinator's office may do by the JSON API, and tokenLife for how long.
var officeScopes = []string{"read", "manage"}

const tokenLife = time.Hour

// closeOut is what the API tells of it.
type closeOut struct {
	State  string
	Checks []struct {
		Check        string
		Open, Waived int
	}
	Work *struct {
		Ended   *time.Time `json:"ended_at"`
		Problem string
	}
}

// closeDeployment closes the deployment as its coordinator's office does: it announces that, waives what is still open, and has the totals
// recounted and signed.
func (w *world) closeDeployment() error {
	token, err := w.host.server.NewToken(w.ctx, w.office.name, officeScopes, tokenLife)
	if err != nil {
		return w.broken("the office gets no token: %v", err)
	}
	var list closeOut
	later := record.DateOf(w.wall().AddDate(1, 0, 0), time.UTC) // what is logged until then is not outside of the deployment
	if err := w.host.call(token, http.MethodPut, "/announcement", map[string]string{"end_on": later.String()}, nil); err != nil {
		return err
	}
	if err := w.host.call(token, http.MethodGet, "", nil, &list); err != nil {
		return err
	}
	for _, c := range list.Checks {
		if c.Open == c.Waived {
			continue
		}
		if err := w.host.call(token, http.MethodPost, "/waivers", map[string]string{"check": c.Check, "reason": "world"}, nil); err != nil {
			return err
		}
	}
	if err := w.host.call(token, http.MethodPost, "/closing", nil, nil); err != nil {
		return err
	}
	for list.Work == nil || list.Work.Ended == nil {
		time.Sleep(time.Millisecond) // of the machine that this runs on: it is done in the background
		if err := w.host.call(token, http.MethodGet, "", nil, &list); err != nil {
			return err
		}
	}
	if list.Work.Problem != "" || list.State != "closed" {
		return w.broken("the deployment can't be closed and is %s: %s", list.State, list.Work.Problem)
	}
	return w.host.rest()
}

// call calls the JSON API of the close-out for whoever has a token.
func (h *host) call(token, method, path string, say, hear any) error {
	var body bytes.Buffer
	if say != nil {
		if err := json.NewEncoder(&body).Encode(say); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(h.w.ctx, method, serverURL+"/api/close-out"+path, &body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), clientAddress
	a := &answer{header: http.Header{}}
	h.server.Handler().ServeHTTP(a, r)
	if a.status/100 != 2 {
		return h.w.broken("the close-out answers %s %s: %d %s", method, path, a.status, a.body.String())
	}
	if hear == nil {
		return nil
	}
	if err := json.Unmarshal(a.body.Bytes(), hear); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}
