package export

import (
	"slices"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/tally"
)

// eachGiven hands out all that counts, of the teams that the query is about, as progress.EachGiven does. Records are told of by
// the cases, groups, activities and rounds of visits that were gone through.
func (c *Content) eachGiven(given func(progress.Given) error) error {
	root := func(r syncing.Record) error {
		if c.sees(r.Audience) {
			c.went()
		}
		return c.ctx.Err()
	}
	return progress.EachGiven(c.tx, root, func(g progress.Given) error {
		if !c.Whole && !slices.ContainsFunc(c.Teams, func(team hlc.ID) bool { return slices.Contains(g.Cuts, tally.OfTeam(team)) }) {
			return nil // records are seen by the team they belong to, and count for the one they name
		}
		return given(g)
	})
}

// keyOf is the key under which something counts in a dimension; the longest where it has several. Empty where it does not say.
func keyOf(g *progress.Given, by tally.Dimension) (key string) {
	for _, cut := range g.Cuts {
		if cut.Dimension == by && len(cut.Key) > len(key) {
			key = cut.Key
		}
	}
	return key
}
