package syncing

import (
	"cmp"
	"slices"
	"strings"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Called is a worker, team or site by name.
type Called struct {
	ID   hlc.ID
	Kind record.Kind
	Name string
	// Of is the team of a worker, or the site of a team; zero for none.
	Of hlc.ID
}

// Called are the workers, teams and sites whose names have a text, by name. Case makes no difference.
func (s *SetUp) Called(text string) (all []Called) {
	add := func(c Called) {
		if strings.Contains(strings.ToLower(c.Name), strings.ToLower(text)) {
			all = append(all, c)
		}
	}
	for id, w := range s.Workers {
		add(Called{id, recordv1.Kind_KIND_WORKER, w.GetName(), s.Person(id).Team})
	}
	for id, t := range s.Teams {
		var site hlc.ID
		copy(site[:], t.GetSite())
		add(Called{id, recordv1.Kind_KIND_TEAM, t.GetName(), site})
	}
	for id, one := range s.Sites {
		add(Called{ID: id, Kind: recordv1.Kind_KIND_SITE, Name: one.GetName()})
	}
	slices.SortFunc(all, func(a, b Called) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind), slices.Compare(a.ID[:], b.ID[:]))
	})
	return all
}
