package export

import (
	"slices"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
)

// Allowed is all that a person may have of their deployment, in a language; what is confidential when it is asked for, and where
// they may see it.
func Allowed(p access.Person, lang string, confidential bool) Query {
	q := Query{Lang: lang}
	q.Whole, q.Teams = access.Teams(p, access.Export)
	sees := func(a access.Action) bool {
		whole, some := access.Teams(p, a)
		return whole || !q.Whole && len(some) > 0
	}
	q.Confidential = confidential && sees(access.SeeConfidential)
	q.Identities = q.Confidential && sees(access.SeeIdentity)
	return q
}

// MayTake reports whether a person may have what was ordered: they may have lost a team or a role since.
func (o *Ordered) MayTake(p access.Person) bool {
	was, now := o.Query, Allowed(p, o.Query.Lang, o.Query.Confidential)
	lost := func(team hlc.ID) bool { return !slices.Contains(now.Teams, team) }
	return (now.Whole || !was.Whole && !slices.ContainsFunc(was.Teams, lost)) && now.Confidential == was.Confidential && (now.Identities || !was.Identities)
}
