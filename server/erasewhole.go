package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"levee/server/internal/audit"
	"levee/server/internal/httpapi"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// ErasedDeployment is what an erasure of a whole deployment took out.
type ErasedDeployment struct {
	Deployment hlc.ID `json:"deployment"`
	Name       string `json:"name"`
	// Records are gone; TokensIn are those in which tokens were replaced.
	Records  int `json:"records"`
	TokensIn int `json:"tokens_in"`
}

// EraseOptions say which deployment is erased, and whether before its time.
type EraseOptions struct {
	// Deployment is an id; it may be left out where there is only one.
	Deployment string
	// By is who wants it; zero at the command line.
	By audit.Actor
	// Now: though the day of the deployment's record has not come, or there is none. Name is then the deployment's name, typed by who
	// means it.
	Now  bool
	Name string
	// Progress is told how many positions of the log are looked through, and of how many; nil for nobody.
	Progress func(done, of uint64)
}

// EraseDeployment takes all personal data out of a closed deployment, whether another process serves it or not. It is a Refusal with
// code deployment_open while it is not closed, erasure_not_due before its day, name_differs when Name is not that of the
// deployment, and deployment_unclear when it is not clear which one is meant.
func (s *Server) EraseDeployment(ctx context.Context, o EraseOptions) (ErasedDeployment, error) {
	id, err := deploymentNamed(ctx, s.db, o.Deployment)
	if err != nil {
		return ErasedDeployment{}, err
	}
	all := s.deployments.All()
	i := slices.IndexFunc(all, func(d *httpapi.Deployment) bool { return d.Syncing.Deployment() == id })
	if i < 0 {
		return ErasedDeployment{}, errNoDeployment
	}
	of, setUp := all[i].Syncing, all[i].Syncing.SetUp()
	done := ErasedDeployment{Deployment: id, Name: setUp.Deployment.GetName()}
	due := record.Date(setUp.Deployment.GetEraseOn())
	switch {
	case !setUp.Closed():
		return done, refuse(DeploymentOpen, nil, done.Name)
	case !o.Now && (due == 0 || record.DateOf(s.config.Wall(), setUp.Location) < due):
		return done, refuse(ErasureNotDue, nil, done.Name, dayOr(due, "—"))
	case o.Now && o.Name != done.Name:
		return done, refuse(NameDiffers, nil, done.Name)
	}
	note := audit.Entry{Deployment: id, Actor: o.By, Action: audit.WholeErasureStarted, Subject: audit.Subject{Kind: audit.OfDeployment, ID: id}}
	if err := s.audit.Write(ctx, note); err != nil { // before: a part of it can't be undone either
		return done, err
	}
	s.exports.Forget(id)
	stop := of.TellErasing(o.Progress)
	gone, err := of.EraseAll(ctx)
	stop()
	if err != nil {
		return done, err
	}
	done.Records, done.TokensIn = gone.Records, gone.TokensIn
	note.Action = audit.DeploymentErased
	return done, s.audit.Write(ctx, note)
}

func dayOr(day record.Date, none string) string {
	if day == 0 {
		return none
	}
	return day.String()
}

// Print tells what was erased, in Chinese for a tag "zh…", else in English.
func (e ErasedDeployment) Print(w io.Writer, lang string) error {
	say := eraseWords[chinese(lang)]
	_, err := fmt.Fprintf(w, say.whole, e.Name, e.Records, e.TokensIn)
	_, serr := io.WriteString(w, say.backups+say.tablets)
	return errors.Join(err, serr)
}
