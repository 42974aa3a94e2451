package webui

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// editTeam edits or makes a team.
func (v *visit) editTeam() error {
	setUp := v.within.Syncing.SetUp()
	id, was, made, err := target(v, "team", setUp.Teams)
	if err != nil {
		return err
	}
	fields := []protowire.Number{commonSite, commonPlace, namedName}
	f := v.setUpForm(was, fields...).add(
		&field{Name: "name", Label: v.T("field_team_name"), Required: true, Value: was.GetName(), Focus: made},
		&field{Name: "site", Sort: "select", Value: chosen(was.GetSite()), Options: options(setUp.Sites)})
	show := func() error {
		return v.show("form", &page{Title: v.titleOf("team", made), Form: f, Links: []link{{To: v.To(v.toSetUp()), Name: v.T("go_back")}}})
	}
	if !v.filled(f) {
		return show()
	}
	m := &recordv1.Team{Author: v.author(), Name: proto.String(f.value("name"))}
	if site := parsed(f.value("site")); site != (hlc.ID{}) {
		m.Site, m.Place = site[:], setUp.Sites[site].GetPlace()
	}
	return v.save(setUpEdit{id: id, set: m, fields: fields, then: v.toSetUp(), at: map[protowire.Number]string{namedName: "name"}}, f, show)
}
