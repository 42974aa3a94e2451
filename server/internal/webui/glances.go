package webui

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"levee/server/internal/charts"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// glances keeps, in memory alone, the overviews that pages showed last: the images of a page are asked for one by one, and
// are drawn from what stands in its tables without anything being read again.
type glances struct {
	mu   sync.Mutex
	kept []glance // the one that was shown last is the last
}

// glance is an overview, and what it is of.
type glance struct {
	of       glanceOf
	overview progress.Overview
}

// glanceOf tells overviews apart: of one deployment, of those teams that the visitor sees, and of the parts of one place.
type glanceOf struct {
	deployment hlc.ID
	whole      bool
	// teams are their ids, one after the other.
	teams, below, level string
}

// mostGlances is how many are kept. One with a year of days takes some hundred kilobytes.
const mostGlances = 32

// keep keeps an overview in place of an earlier one of the same.
func (g *glances) keep(one glance) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kept = append(slices.DeleteFunc(g.kept, func(o glance) bool { return o.of == one.of }), one)
	if len(g.kept) > mostGlances {
		g.kept = slices.Delete(g.kept, 0, 1)
	}
}

// find is the one that is kept, if it knows the log up to a position.
func (g *glances) find(of glanceOf, position uint64) (glance, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.kept, func(o glance) bool { return o.of == of && o.overview.Completeness.Position >= position })
	if i < 0 {
		return glance{}, false
	}
	return g.kept[i], true
}

// glance is the deployment as the visitor sees it; false for who sees no totals of it. One that is kept does if it knows the
// log up to a position; without one (0) it is read now.
func (v *visit) glance(position uint64) (glance, bool, error) {
	q := progress.OverviewQuery{Below: v.QueryParam("below"), Level: v.QueryParam("level")}
	q.Whole, q.Teams = v.sight()
	if !q.Whole && len(q.Teams) == 0 {
		return glance{}, false, nil
	}
	if strings.Trim(q.Below, "0123456789") != "" || len(q.Below) > villageDigits {
		return glance{}, false, problem.New(problem.NotFound)
	}
	g := glance{of: glanceOf{deployment: v.within.Syncing.Deployment(), whole: q.Whole, below: q.Below, level: q.Level}}
	for _, team := range q.Teams {
		g.of.teams += string(team[:])
	}
	if position > 0 {
		if kept, ok := v.glances.find(g.of, position); ok {
			return kept, true, nil
		}
	}
	var err error
	if g.overview, err = v.within.Progress.Overview(v.context(), q); err == nil {
		v.glances.keep(g)
	}
	return g, true, err
}

// chart answers with one of the overview's images. A browser may keep it, and asks each time whether it still holds and
// may be seen.
func (v *visit) chart() error {
	at, err := strconv.ParseUint(v.QueryParam("at"), 10, 64)
	if err != nil {
		return problem.New(problem.NotFound)
	}
	g, ok, err := v.glance(at)
	if err != nil {
		return err
	}
	if !ok {
		return problem.New(problem.NotFound)
	}
	f, err := v.dividedFigure(&g.overview)
	if err != nil {
		return err
	}
	all := v.divisions(g, f)
	i := slices.IndexFunc(all, func(d division) bool { return d.ID == v.Param("chart") && d.Image != "" })
	if i < 0 {
		return problem.New(problem.NotFound)
	}
	narrow := v.QueryParam("narrow") != ""
	sum := sha256.Sum256(fmt.Append(nil, g.of, g.position(), g.overview.AsOf, f.Name, all[i].ID, narrow, v.Lang(), v.version))
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := v.Response().Header()
	h.Set(echo.HeaderCacheControl, "private, no-cache")
	h.Set(echo.HeaderVary, "Accept-Language, Cookie")
	h.Set("ETag", tag)
	if strings.Contains(v.Request().Header.Get("If-None-Match"), tag) {
		return v.NoContent(http.StatusNotModified)
	}
	svg, err := all[i].draw(charts.Style{Narrow: narrow, Number: v.Number})
	if err != nil {
		return err
	}
	return v.Blob(http.StatusOK, "image/svg+xml", svg)
}
