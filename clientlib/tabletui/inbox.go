package tabletui

import (
	"slices"
	"strings"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// inboxBody is what waits for a worker, each with what she can do.
type inboxBody struct {
	Returned []returnedItem
	// Lost are the conflicts in which her value lost, Team the others that a team lead may settle, Answered those to which she said that the other
	// value is right, and which nobody has settled yet.
	Lost, Team, Answered []conflictItem
	// More is how many conflicts are not shown.
	More int
	Held []heldItem
	// Late came after the deployment was closed: a coordinator decides about it.
	Late []heldItem
	// Discarded are those that are not to be applied.
	Discarded []heldItem
	// identity: something is about who somebody is.
	identity bool
}

// Empty reports whether nothing waits.
func (b *inboxBody) Empty() bool {
	return len(b.Returned)+len(b.Lost)+len(b.Team)+len(b.Held) == 0
}

// returnedItem is a record that a review returned.
type returnedItem struct {
	item
	Who, When string
	Reasons   []string
	Comment   string
	Editable  bool
	Talk      *person
}

// person is somebody to talk to.
type person struct {
	Name, Phone string
	// Call is an address that telephones take; empty without a number.
	Call string
}

func (a *around) person(id hlc.ID) *person {
	w := a.workers[id]
	if w == nil || id == a.me {
		return nil
	}
	p := &person{Name: w.GetName(), Phone: w.GetPhone()}
	if number := dialled(p.Phone); number != "" {
		p.Call = "tel:" + number
	}
	return p
}

// leads reports whether the worker settles what others wrote, and lets through what is held.
func (a *around) leads() bool { return leads(a.workers[a.me].GetRole()) }

func leads(r recordv1.Role) bool {
	return r == recordv1.Role_ROLE_TEAM_LEAD || r == recordv1.Role_ROLE_SUPERVISOR || r == recordv1.Role_ROLE_COORDINATOR
}

// above are those of a role to whom the worker can turn, by name: of her own team, for what teams have.
func (a *around) above(role recordv1.Role) []person {
	team := a.workers[a.me].GetTeam()
	var found []person
	for id, w := range a.workers {
		its := string(w.GetTeam()) == string(team) || slices.ContainsFunc(w.GetSupervises(), func(t []byte) bool { return string(t) == string(team) })
		if p := a.person(id); p != nil && w.GetRole() == role && (its || role == recordv1.Role_ROLE_COORDINATOR) {
			found = append(found, *p)
		}
	}
	slices.SortFunc(found, func(x, y person) int { return strings.Compare(x.Name, y.Name) })
	return found
}

// teamLead is whom a worker asks about what her team wrote.
func (a *around) teamLead() *person {
	for _, role := range []recordv1.Role{recordv1.Role_ROLE_TEAM_LEAD, recordv1.Role_ROLE_SUPERVISOR} {
		if found := a.above(role); len(found) > 0 {
			return &found[0]
		}
	}
	return nil
}

// whoWrote is the name of who wrote something.
func (v *visit) whoWrote(a *around, id hlc.ID) string {
	switch {
	case id == a.me:
		return v.T("you")
	case a.workers[id] != nil:
		return a.workers[id].GetName()
	default:
		return v.T("somebody")
	}
}

// inbox shows what waits.
func (v *visit) inbox() error {
	a, err := v.around()
	if err != nil {
		return err
	}
	body := &inboxBody{}
	if body.Returned, err = v.returnedItems(a); err != nil {
		return err
	}
	if err := v.conflictItems(a, body); err != nil {
		return err
	}
	if err := v.heldItems(a, body); err != nil {
		return err
	}
	if until, shown := v.desk.identifiedUntil(v.wall()); shown && body.identity {
		v.leaveAt(until, pathInbox)
	}
	return v.show("inbox", &page{Title: v.T("nav_inbox"), Here: pathInbox, Body: body})
}

func (v *visit) returnedItems(a *around) ([]returnedItem, error) {
	found, err := v.store().Returned(v.context())
	if err != nil {
		return nil, err
	}
	var all []returnedItem
	reasons := fieldOf(recordv1.Kind_KIND_REVIEW, "reasons")
	for _, r := range found {
		one := returnedItem{
			item: v.item(r.Target), When: v.At(r.Review.Changed), Comment: r.Review.Message.GetComment(), Editable: editable(r.Target), Who: v.T("somebody"),
		}
		if by, ok := idOf(r.Review.Message.GetAuthor()); ok {
			one.Who, one.Talk = v.whoWrote(a, by), a.person(by)
		}
		for _, reason := range r.Review.Message.GetReasons() {
			one.Reasons = append(one.Reasons, a.terms.OptionOf(reasons.Enum(), reason.Number()).Label)
		}
		all = append(all, one)
	}
	return all, nil
}
