package access_test

import (
	"slices"
	"testing"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

var (
	mine, theirs = hlc.ID{1}, hlc.ID{2}
	me, another  = hlc.ID{8}, hlc.ID{9}
	roles        = []recordv1.Role{recordv1.Role_ROLE_UNKNOWN, recordv1.Role_ROLE_FIELD_WORKER, recordv1.Role_ROLE_TEAM_LEAD, recordv1.Role_ROLE_SUPERVISOR, recordv1.Role_ROLE_COORDINATOR}
)

// Every role, for each sort of change, in the own team, in another, and for everyone.
func TestWhoMayWriteWhat(t *testing.T) {
	const (
		yes  = record.Code("")
		no   = record.CodeNotAllowed
		team = record.CodeNotYourTeam
	)
	own := access.Scope{Makes: true, Root: true, Before: mine, After: mine}
	other := access.Scope{Makes: true, Root: true, Before: theirs, After: theirs}
	everyone := access.Scope{Makes: true, Root: true}
	onEveryones := access.Scope{Makes: true} // a headcount of an activity that all teams have
	moved := access.Scope{Root: true, Before: mine, After: theirs}
	takenOver := access.Scope{Root: true, Before: theirs, After: mine}
	opened := access.Scope{Root: true, Before: mine}
	for _, c := range []struct {
		name  string
		kind  record.Kind
		scope access.Scope
		want  [5]record.Code // unknown, field worker, team lead, supervisor, coordinator
	}{
		{"a case of the own team", recordv1.Kind_KIND_CASE, own, [5]record.Code{yes, yes, yes, yes, yes}},
		{"a case of another team", recordv1.Kind_KIND_CASE, other, [5]record.Code{team, team, team, team, yes}},
		{"an activity for everyone", recordv1.Kind_KIND_COMMUNITY_ACTIVITY, everyone, [5]record.Code{no, no, no, no, yes}},
		{"a count at everyone's activity", recordv1.Kind_KIND_HEADCOUNT, onEveryones, [5]record.Code{yes, yes, yes, yes, yes}},
		{"a case moved to another team", recordv1.Kind_KIND_CASE, moved, [5]record.Code{team, team, team, team, yes}},
		{"a case taken over from another team", recordv1.Kind_KIND_CASE, takenOver, [5]record.Code{team, team, team, team, yes}},
		{"a case shown to everyone", recordv1.Kind_KIND_CASE, opened, [5]record.Code{no, no, no, no, yes}},
		{"a review in the own team", recordv1.Kind_KIND_REVIEW, own, [5]record.Code{no, no, yes, yes, yes}},
		{"a review in another team", recordv1.Kind_KIND_REVIEW, other, [5]record.Code{no, no, team, team, yes}},
		{"a conflict made", recordv1.Kind_KIND_CONFLICT, own, [5]record.Code{no, no, no, no, no}},
		{"a conflict settled", recordv1.Kind_KIND_CONFLICT, access.Scope{Before: mine, After: mine}, [5]record.Code{no, no, yes, yes, yes}},
		{"a decision on a held change", recordv1.Kind_KIND_HELD_DECISION, own, [5]record.Code{yes, yes, yes, yes, yes}},
		{"a deployment", recordv1.Kind_KIND_DEPLOYMENT, everyone, [5]record.Code{no, no, no, no, no}},
		{"what the server alone sets of it", recordv1.Kind_KIND_DEPLOYMENT, access.Scope{Root: true, Reserved: true}, [5]record.Code{no, no, no, no, no}},
		{"another field of it", recordv1.Kind_KIND_DEPLOYMENT, access.Scope{Root: true}, [5]record.Code{no, no, no, no, yes}},
		{"a site", recordv1.Kind_KIND_SITE, everyone, [5]record.Code{no, no, no, no, yes}},
		{"a worker", recordv1.Kind_KIND_WORKER, everyone, [5]record.Code{no, no, no, no, yes}},
		{"a kind that is newer", record.Kind(99), own, [5]record.Code{yes, yes, yes, yes, yes}},
	} {
		for i, role := range roles {
			if got := access.Write(access.Person{Worker: me, Role: role, Team: mine}, c.kind, c.scope); got != c.want[i] {
				t.Errorf("%s by a %v: %q, want %q", c.name, role, got, c.want[i])
			}
		}
	}
	nobody := access.Person{Worker: me, Role: recordv1.Role_ROLE_FIELD_WORKER}
	if got := access.Write(nobody, recordv1.Kind_KIND_CASE, own); got != team {
		t.Errorf("by someone without a team: %q", got)
	}
}

func TestWhoReceivesWhat(t *testing.T) {
	all := []hlc.ID{mine, theirs}
	for _, role := range roles {
		got := access.Audiences(access.Person{Role: role, Team: mine}, all)
		want := 2 // everyone's and the own team's
		if role == recordv1.Role_ROLE_COORDINATOR {
			want = 3
		}
		if len(got) != want || got[0] != access.Everyone || got[1] != mine {
			t.Errorf("a %v receives %v", role, got)
		}
	}
	if got := access.Audiences(access.Person{}, all); len(got) != 1 || got[0] != access.Everyone {
		t.Errorf("without a team: %v", got)
	}
}

func TestWhoReadsWhatIsConfidential(t *testing.T) {
	const note, identity, consent = recordv1.Kind_KIND_CASE_NOTE, recordv1.Kind_KIND_CASE_IDENTITY, recordv1.Kind_KIND_CONSENT
	for _, c := range []struct {
		name     string
		role     recordv1.Role
		external bool
		kind     recordv1.Kind
		author   hlc.ID
		assigned []hlc.ID
		want     bool
	}{
		{"a team mate", recordv1.Role_ROLE_FIELD_WORKER, false, note, another, []hlc.ID{another}, false},
		{"the team lead", recordv1.Role_ROLE_TEAM_LEAD, false, note, another, []hlc.ID{another}, false},
		{"the author", recordv1.Role_ROLE_FIELD_WORKER, false, note, me, nil, true},
		{"who works on the case", recordv1.Role_ROLE_FIELD_WORKER, false, identity, another, []hlc.ID{another, me}, true},
		{"a supervisor", recordv1.Role_ROLE_SUPERVISOR, false, identity, another, nil, true},
		{"a supervisor from outside", recordv1.Role_ROLE_SUPERVISOR, true, note, another, nil, true},
		{"a supervisor from outside, who it is", recordv1.Role_ROLE_SUPERVISOR, true, identity, another, nil, false},
		{"a supervisor from outside, who agreed", recordv1.Role_ROLE_SUPERVISOR, true, consent, another, nil, false},
		{"a coordinator", recordv1.Role_ROLE_COORDINATOR, false, identity, another, nil, true},
	} {
		where := access.Where{Team: mine, Assigned: c.author == me || slices.Contains(c.assigned, me)}
		if got := access.May(access.Person{Worker: me, Role: c.role, Team: mine, External: c.external}, access.Seeing(c.kind), where) == access.Yes; got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// Who may have a held change applied, or decide that it never is.
func TestWhoDecidesOnHeldChanges(t *testing.T) {
	author := access.Person{Worker: another, Role: recordv1.Role_ROLE_FIELD_WORKER, Team: mine}
	for _, c := range []struct {
		name    string
		decides func(access.Person) bool
		want    [5]bool // unknown, field worker, team lead, supervisor, coordinator
	}{
		{"discard one of the own team", func(p access.Person) bool { return access.Discard(p, author) }, [5]bool{false, false, true, true, true}},
		{"discard one of another team", func(p access.Person) bool { p.Team = theirs; return access.Discard(p, author) }, [5]bool{false, false, false, false, true}},
		{"discard one's own", func(p access.Person) bool { p.Worker = another; return access.Discard(p, author) }, [5]bool{true, true, true, true, true}},
		{"release", func(p access.Person) bool { return access.Release(p, record.CodeNotYourTeam) }, [5]bool{false, false, true, true, true}},
		{"release what was given back without proof", func(p access.Person) bool { return access.Release(p, record.CodeUnproven) }, [5]bool{false, false, false, false, true}},
		{"release what a tablet sent that is not confirmed", func(p access.Person) bool { return access.Release(p, record.CodeUnconfirmed) }, [5]bool{false, false, false, false, true}},
		{"release a stamp in the future", func(p access.Person) bool { return access.Release(p, record.CodeStampInFuture) }, [5]bool{false, false, false, false, true}},
	} {
		for i, role := range roles {
			if got := c.decides(access.Person{Worker: me, Role: role, Team: mine}); got != c.want[i] {
				t.Errorf("%s by a %v: %v, want %v", c.name, role, got, c.want[i])
			}
		}
	}
}
