package httpapi

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"

	"levee/server/internal/access"
	"levee/server/internal/alerting"
	"levee/server/internal/casefile"
	"levee/server/internal/closeout"
	"levee/server/internal/finalreport"
	"levee/server/internal/handover"
	"levee/server/internal/importing"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/review"
	"levee/server/internal/rollup"
	"levee/server/internal/syncing"
	"levee/server/internal/workbook"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// Deployment is one deployment behind the surface.
type Deployment struct {
	// Member is the deployment as it is told of together with others.
	Member    *rollup.Member
	Syncing   *syncing.Service
	Progress  *progress.Service
	Casefile  *casefile.Service
	Indexing  *indexing.Service
	Alerting  *alerting.Service
	Importing *importing.Service
	Review    *review.Service
	Closeout  *closeout.Service
	Final     *finalreport.Service
	Handover  *handover.Service
	// Workbooks are the Excel files of bureaus.
	Workbooks workbook.Store
	Reports   *report.Service
}

// Begin starts what the deployment does by itself.
func (d *Deployment) Begin(ctx context.Context) error {
	if err := d.Alerting.Start(ctx); err != nil {
		return err
	}
	d.Indexing.Start()
	return nil
}

// Close ends it, after what has queued.
func (d *Deployment) Close() {
	d.Closeout.Stop()
	d.Alerting.Close()
	d.Syncing.Close()
	d.Indexing.Close()
}

// Deployments are those that a server serves: more may come while it runs. The zero value has none.
type Deployments struct {
	// Other opens one that another server on the same database has made since; nil when there is none. It may be nil itself.
	Other func(ctx context.Context, id hlc.ID) (*Deployment, error)

	mu  sync.RWMutex
	all map[hlc.ID]*Deployment
}

// Add serves one more.
func (d *Deployments) Add(one *Deployment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[hlc.ID]*Deployment{}
	}
	d.all[one.Syncing.Deployment()] = one
}

// Together are the deployments that somebody may see told of together, by name: those of which they see all totals. There are none
// where these are fewer than two.
func (d *Deployments) Together(person func(*Deployment) access.Person) (members []rollup.Member) {
	for _, one := range d.All() {
		p := person(one)
		whole, _ := access.Teams(p, access.SeeTotals)
		if whole && access.May(p, access.SeeTotals, access.Where{Foreign: p.Worker == hlc.ID{}}) == access.Yes {
			members = append(members, *one.Member)
		}
	}
	if len(members) < 2 {
		return nil
	}
	slices.SortStableFunc(members, func(a, b rollup.Member) int {
		return strings.Compare(a.Syncing.SetUp().Deployment.GetName(), b.Syncing.SetUp().Deployment.GetName())
	})
	return members
}

// Get is one by its id; nil when there is none.
func (d *Deployments) Get(id hlc.ID) *Deployment {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.all[id]
}

// Find is one by its id, whichever server has made it; nil when there is none.
func (d *Deployments) Find(ctx context.Context, id hlc.ID) (*Deployment, error) {
	if one := d.Get(id); one != nil || d.Other == nil {
		return one, nil
	}
	return d.Other(ctx, id)
}

// Enter is one by its id, as it is now whatever other servers have done; problem not_found when there is none.
func (d *Deployments) Enter(ctx context.Context, id hlc.ID) (*Deployment, error) {
	one, err := d.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	if one == nil {
		return nil, problem.New(problem.NotFound)
	}
	return one, one.Syncing.Refresh(ctx)
}

// All are all, in the order in which they were made.
func (d *Deployments) All() []*Deployment {
	d.mu.RLock()
	defer d.mu.RUnlock()
	all := make([]*Deployment, 0, len(d.all))
	for _, one := range d.all {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *Deployment) int {
		x, y := a.Syncing.Deployment(), b.Syncing.Deployment()
		return bytes.Compare(x[:], y[:])
	})
	return all
}

// Clear serves none any more, and gives those that there were.
func (d *Deployments) Clear() []*Deployment {
	all := d.All()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = nil
	return all
}
