package server

import (
	"context"
	"fmt"

	"levee/server/internal/audit"
	"levee/server/internal/closeout"
	"levee/server/internal/webui"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// pages are the pages of this server.
func (s *Server) pages() (*webui.Pages, error) {
	c := webui.Config{Accounts: s.accounts, Audit: s.audit, Deployments: s.deployments, Live: s.live, Exports: s.exports, NewDeployment: s.deploymentFromPage,
		URL: s.config.URL, Pin: s.pin, Wall: s.config.Wall, Archive: s.config.archive}
	if s.config.archive == nil {
		c.Archives, c.Erase = s.archives, s.eraseFromPage
	}
	if s.config.Backups.Dir != "" {
		c.BackUp = func(ctx context.Context) error {
			_, err := s.BackUp(ctx)
			return err
		}
	}
	return webui.New(c)
}

// eraseFromPage erases all personal data of a deployment, for somebody who has said so on the web.
func (s *Server) eraseFromPage(ctx context.Context, deployment hlc.ID, by audit.Actor, now bool, tell closeout.Tell) error {
	o := EraseOptions{Deployment: deployment.String(), By: by, Now: now, Progress: func(done, of uint64) { tell(closeout.Progress{Done: done, Of: of}) }}
	if now {
		o.Name = s.deployments.Get(deployment).Syncing.SetUp().Deployment.GetName()
	}
	_, err := s.EraseDeployment(ctx, o)
	return err
}

// deploymentFromPage makes a deployment from what somebody filled in on the web.
func (s *Server) deploymentFromPage(ctx context.Context, by audit.Actor, n webui.NewDeployment) (deployment, coordinator hlc.ID, err error) {
	from := &SetUp{Name: n.Name, Start: n.Start, TimeZone: n.TimeZone, SamePeople: n.SamePeople, Workers: []SetUpWorker{{Name: n.Coordinator, Role: "coordinator", Type: "social_worker"}}}
	for _, site := range n.Sites {
		from.Sites = append(from.Sites, SetUpSite{Name: site.Name, Code: site.Code})
		if site.Team != "" {
			from.Teams = append(from.Teams, SetUpTeam{Name: site.Team, Site: site.Name})
		}
	}
	if err := s.possible(from); err != nil {
		return hlc.ID{}, hlc.ID{}, problem.Newf(problem.InvalidArgument, "%v", err)
	}
	if deployment, err = s.NewDeployment(ctx, by, from); err != nil {
		return hlc.ID{}, hlc.ID{}, err
	}
	for id, w := range s.deployments.Get(deployment).Syncing.SetUp().Workers {
		if w.GetRole() == recordv1.Role_ROLE_COORDINATOR {
			return deployment, id, nil
		}
	}
	return hlc.ID{}, hlc.ID{}, fmt.Errorf("the deployment %v was made without its coordinator", deployment)
}

// possible says what keeps a set-up from being a deployment's.
func (s *Server) possible(from *SetUp) error {
	var made byte
	records, err := from.records(func() (hlc.ID, error) { // ids that tell the records apart; those that are kept are made later
		made++
		return hlc.ID{0: 1, 15: made}, nil
	})
	if err != nil {
		return err
	}
	return validate(records, s.config.Wall())
}
