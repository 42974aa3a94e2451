package webui

import (
	"strings"

	"levee/server/internal/access"
)

// section is an entry in the navigation of a deployment.
type section struct {
	// path is where it leads, name that of its message.
	path, name string
	// rule is that of the page to which it leads: who may not open it does not see it.
	rule rule
	// holds are the paths of further pages that belong to it, besides those below its own.
	holds []string
}

// section adds an entry to the navigation of a deployment. It is marked as where one is on the page it leads to, on pages
// below it, and on those that begin with one of the paths it holds.
func (r *router) section(path, name string, who rule, holds ...string) {
	r.sections = append(r.sections, section{path, name, who, holds})
}

// has is how many characters of a route's path a section claims; 0 when the route is no part of it.
func (s section) has(path string) (length int) {
	for _, one := range append(s.holds, s.path) {
		if path == one || strings.HasPrefix(path, one+"/") {
			length = max(length, len(one))
		}
	}
	return length
}

// standing is the line that tells in which deployment one is, and leads to its sections.
type standing struct {
	Name  string
	Links []link
}

// standing is the line of a page within a deployment.
func (v *visit) standing() *standing {
	s := &standing{Name: v.within.Syncing.SetUp().Deployment.GetName()}
	here := 0
	for _, one := range v.sections {
		here = max(here, one.has(v.route.path))
	}
	for _, one := range v.sections {
		if v.may(one.rule, access.Everyone) {
			s.Links = append(s.Links, link{To: v.To(to(v.within.Syncing.Deployment()), strings.TrimPrefix(one.path, pathIn)), Name: v.T(one.name), Here: one.has(v.route.path) == here})
		}
	}
	return s
}
