package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"levee/server/internal/closeout"
	"levee/server/internal/database"
	"levee/server/internal/store"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// CloseOutStatus is how far a deployment is on its way to the end.
type CloseOutStatus struct {
	Deployment hlc.ID `json:"deployment"`
	Name       string `json:"name"`
	// State is active, closing, closed or archived.
	State string `json:"state"`
	// EndOn is the last day of work, EraseOn that from which personal data may be erased; empty where none is set.
	EndOn   string `json:"end_on,omitempty"`
	EraseOn string `json:"erase_on,omitempty"`
	// Checks are what must be in order before it is closed; none once it is.
	Checks []CloseOutCheck `json:"checks"`
	// Waiting is how many changes came after the closing and wait to be decided on.
	Waiting int `json:"changes_waiting"`
	// Editions are those of the certificate.
	Editions []CloseOutEdition `json:"editions"`

	deployment *recordv1.Deployment
	zone       *time.Location
}

// CloseOutCheck is one check: how many are open, and how many of these may pass.
type CloseOutCheck struct {
	Check  string `json:"check"`
	Open   int    `json:"open"`
	Waived int    `json:"waived"`

	check recordv1.CloseOutCheck
}

// CloseOutEdition is one edition of the certificate, by the SHA-256 of its file.
type CloseOutEdition struct {
	Edition int       `json:"edition"`
	Issued  time.Time `json:"issued_at"`
	SHA256  string    `json:"sha256"`
}

// CloseOut tells how far a deployment is on its way to the end, whether another process serves it or not. It may be left out which
// one, where there is only one.
func (s *Server) CloseOut(ctx context.Context, deployment string) (*CloseOutStatus, error) {
	id, err := deploymentNamed(ctx, s.db, deployment)
	if err != nil {
		return nil, err
	}
	d := s.deployments.Get(id)
	service, setUp := d.Closeout, d.Syncing.SetUp()
	of := setUp.Deployment
	status := &CloseOutStatus{Deployment: id, Name: of.GetName(), State: choiceName(service.State()), EndOn: dayText(of.GetEndOn()), EraseOn: dayText(of.GetEraseOn()),
		Checks: []CloseOutCheck{}, Editions: []CloseOutEdition{}, deployment: of, zone: setUp.Location}
	editions, err := service.Editions(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range editions {
		status.Editions = append(status.Editions, CloseOutEdition{e.Edition, e.Issued.At, certificate.Hash(e.File)})
	}
	if setUp.Closed() {
		waiting, err := service.Addenda(ctx)
		for _, a := range waiting {
			status.Waiting += len(a.Changes)
		}
		return status, err
	}
	list, err := service.Checklist(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range list.Checks {
		status.Checks = append(status.Checks, CloseOutCheck{closeout.CheckName(c.Check), c.Open, c.Waived, c.Check})
	}
	return status, nil
}

func dayText(day int32) string {
	if d := record.Date(day); d.Valid() {
		return d.String()
	}
	return ""
}

// choiceName is the stable name of a state.
func choiceName(state recordv1.DeploymentState) string {
	return words.In("en").For(&recordv1.Deployment{}).OptionOf(state.Descriptor(), state.Number()).Name
}

// Print tells it in Chinese for a tag "zh…", else in English.
func (c *CloseOutStatus) Print(w io.Writer, lang string) error {
	say, speech := closeOutWords[chinese(lang)], words.In("en")
	if chinese(lang) {
		speech = words.In("zh")
	}
	terms := speech.For(c.deployment)
	label := func(state recordv1.DeploymentState) string {
		return terms.OptionOf(state.Descriptor(), state.Number()).Label
	}
	_, err := fmt.Fprintf(w, say.state, c.Name, label(closeout.StateOf(c.deployment)))
	tell := func(format string, args ...any) {
		_, werr := fmt.Fprintf(w, format, args...)
		err = errors.Join(err, werr)
	}
	if c.EndOn != "" {
		tell(say.end, c.EndOn)
	}
	if c.EraseOn != "" {
		tell(say.erase, c.EraseOn)
	}
	for _, one := range c.Checks {
		mark := say.fine
		if one.Open > one.Waived {
			mark = say.open
		} else if one.Open > 0 {
			mark = say.waived
		}
		tell(say.check, mark, terms.OptionOf(one.check.Descriptor(), one.check.Number()).Label, one.Open, one.Waived)
	}
	for _, e := range c.Editions {
		tell(say.edition, e.Edition, speech.Instant(e.Issued.In(c.zone)), e.SHA256)
	}
	if c.Waiting > 0 {
		tell(say.waiting, c.Waiting)
	}
	return err
}

var closeOutWords = map[bool]struct{ state, end, erase, check, fine, open, waived, edition, waiting string }{
	false: {
		state: "%s: %s.\n", end: "Last day: %s.\n", erase: "Personal data may be erased from %s.\n", check: "  [%s] %s: %d open, %d waived\n",
		fine: "in order", open: "OPEN", waived: "waived", edition: "Certificate, edition %d, issued %s, SHA-256 %s.\n", waiting: "Changes that came after the closing and wait to be decided on: %d.\n",
	},
	true: {
		state: "%s：%s。\n", end: "最后一天：%s。\n", erase: "自 %s 起可以清除个人信息。\n", check: "  [%s] %s：%d 项未了结，%d 项说明后放行\n",
		fine: "已就绪", open: "未通过", waived: "已放行", edition: "数据确认书第 %d 版，签发时间 %s，SHA-256 %s。\n", waiting: "收队后收到、待决定的补报：%d 项。\n",
	},
}

// ErrNoEdition is the error when the certificate that was asked for was not issued.
var ErrNoEdition = errors.New("there is no such edition of the certificate")

// Certificate is the file of an edition of a deployment's certificate, byte by byte as it was signed; of the newest one when edition is
// 0. It reads only, and may run beside a server.
func Certificate(ctx context.Context, path, deployment string, edition int) ([]byte, error) {
	db, err := database.At(path).OpenToRead(ctx)
	if err != nil {
		return nil, refusedAt(database.At(path), err)
	}
	file, err := certificateFrom(ctx, db, deployment, edition)
	return file, errors.Join(err, db.Close())
}

func certificateFrom(ctx context.Context, db *store.DB, deployment string, edition int) ([]byte, error) {
	id, err := deploymentNamed(ctx, db, deployment)
	if err != nil {
		return nil, err
	}
	found, err := editionFrom(ctx, db, id, edition)
	return found.File, err
}

// editionFrom is an edition of a deployment's certificate; the newest one when asked for 0.
func editionFrom(ctx context.Context, db *store.DB, deployment hlc.ID, edition int) (closeout.Edition, error) {
	editions, err := closeout.New(closeout.Config{Store: db.Deployment(deployment)}).Editions(ctx)
	if err != nil {
		return closeout.Edition{}, err
	}
	for i := len(editions) - 1; i >= 0; i-- {
		if edition == 0 || editions[i].Edition == edition {
			return editions[i], nil
		}
	}
	return closeout.Edition{}, ErrNoEdition
}
