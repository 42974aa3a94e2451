package webui

import (
	"slices"
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
	// count is how much waits there for the visitor; nil for what does not wait.
	count func(*visit) (int64, error)
}

// section adds an entry to the navigation of a deployment. It is marked as where one is on the page it leads to, on pages
// below it, and on those that begin with one of the paths it holds.
func (r *router) section(path, name string, who rule, holds ...string) {
	r.sections = append(r.sections, section{path: path, name: name, rule: who, holds: holds})
}

// waiting adds an entry that shows beside its name how much waits there for the visitor, if anything does.
func (r *router) waiting(path, name string, who rule, count func(*visit) (int64, error), holds ...string) {
	r.sections = append(r.sections, section{path, name, who, holds, count})
}

// has is how many characters of a route's path a section claims; 0 when the route is no part of it.
func (s section) has(path string) (length int) {
	for _, one := range append(slices.Clone(s.holds), s.path) {
		if path == one || strings.HasPrefix(path, one+"/") {
			length = max(length, len(one))
		}
	}
	return length
}

// alarm is what stands first on every page of a deployment, while nobody has acknowledged it.
type alarm struct {
	// Title says how much there is; Alerts are the first few, and More leads to all.
	Title  string
	Alerts []alarmLine
	More   link
}

// alarmLine is one alert in an alarm.
type alarmLine struct {
	link
	Level tag
}

// standing is the head of a page within a deployment: which it is, its sections, and the alarm.
type standing struct {
	Name, To string
	Links    []link
	// Here is the name of the section in which one is; empty when in none.
	Here string
	// Search is where the search box leads; empty when there is none.
	Search string
	Alarm  *alarm
	// Notice is what else everybody has to know here.
	Notice notice
}

// standing is the head of a page within a deployment.
func (v *visit) standing() (s *standing, err error) {
	id := v.within.Syncing.Deployment()
	s = &standing{Name: v.within.Syncing.SetUp().Deployment.GetName(), To: v.To(to(id))}
	here := 0
	for _, one := range v.sections {
		if v.route.path != v.search { // which is part of none
			here = max(here, one.has(v.route.path))
		}
	}
	for _, one := range v.sections {
		if !v.may(one.rule, access.Everyone) {
			continue
		}
		l := link{To: v.To(to(id), strings.TrimPrefix(one.path, pathIn)), Name: v.T(one.name), Here: one.has(v.route.path) == here && here > 0}
		if l.Here {
			s.Here = l.Name
		}
		if one.count != nil {
			if l.Count, err = one.count(v); err != nil {
				return nil, err
			}
		}
		s.Links = append(s.Links, l)
	}
	if v.search != "" && v.route.path != v.search && v.may(access.SeeRecords, access.Everyone) {
		s.Search = v.To(to(id), strings.TrimPrefix(v.search, pathIn))
	}
	if s.Notice, err = v.notice(v); err != nil {
		return nil, err
	}
	if v.alarm != nil {
		s.Alarm, err = v.alarm(v)
	}
	return s, err
}
