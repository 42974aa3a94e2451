package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/server/internal/review"
	"levee/server/internal/syncing"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// mountPlanned adds the routes of planned activities.
func (a *api) mountPlanned(h huma.API) {
	route(h, access.SeeRecords, "planned", "Activities that are planned for some days, by day and name", a.planned)
	give(h, http.StatusCreated, access.ReviewRecords, "plan", "/api/planned", "Plan an activity. It reaches the tablets of its team, or everybody's, and all count for the same one", a.plan)
	doing(h, http.MethodPut, access.ReviewRecords, "replan", "/api/planned/{activity}", "Plan an activity anew: what is left out is emptied", a.replan)
	post(h, access.ReviewRecords, "cancel-planned", "/api/planned/{activity}/cancellation", "Say of a planned activity that it is not held", a.cancelPlanned)
}

// How far back and ahead the list goes when no days are named.
const (
	plannedBack  = 14
	plannedAhead = 366
)

type plannedBody struct {
	Activities []plannedView `json:"activities" nullable:"false"`
	Truncated  bool          `json:"truncated" doc:"There was more than is looked through at once."`
}

type plannedView struct {
	ID          string    `json:"id" format:"uuid"`
	Seen        uint64    `json:"seen" doc:"What a deed about it says it was shown with."`
	Name        string    `json:"name"`
	Day         string    `json:"day" format:"date"`
	Team        namedView `json:"team" doc:"Empty when it is planned for all teams."`
	Site        namedView `json:"site"`
	Form        string    `json:"form" example:"talk"`
	ServiceArea string    `json:"service_area" example:"psychological_support"`
	Audience    string    `json:"audience,omitempty" doc:"For whom it is."`
}

func (a *api) planned(ctx context.Context, in *struct {
	Scope
	From string `query:"from" format:"date" doc:"The first day; two weeks ago when absent."`
	To   string `query:"to" format:"date" doc:"The last day; a year ahead when absent."`
}) (*answer[plannedBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (plannedBody, error) {
		from, to := a.today(d).AddDays(-plannedBack), a.today(d).AddDays(plannedAhead)
		for name, day := range map[string]*record.Date{"from": &from, "to": &to} {
			said, err := dateOf(name, map[string]string{"from": in.From, "to": in.To}[name])
			if err != nil {
				return plannedBody{}, err
			}
			if said != 0 {
				*day = said
			}
		}
		all, truncated, err := d.Progress.Planned(ctx, from, to, teamsOf(ctx, d))
		body := plannedBody{[]plannedView{}, truncated}
		for _, p := range all {
			body.Activities = append(body.Activities, viewPlanned(d.Syncing.SetUp(), p))
		}
		return body, err
	})
}

func viewPlanned(s *syncing.SetUp, p progress.Planned) plannedView {
	area := words.In("en").For(s.Deployment).OptionOf(p.Activity.GetServiceArea().Descriptor(), p.Activity.GetServiceArea().Number()).Name
	return plannedView{p.ID.String(), p.Position, p.Activity.GetName(), dateText(record.Date(p.Activity.GetOccurredOn())), teamIn(s, p.Team), siteIn(s, idOf(p.Activity.GetSite())),
		choiceText(p.Activity.GetForm()), area, p.Activity.GetAudience()}
}

// Activity is what is planned.
type Activity struct {
	Name        string `json:"name" minLength:"1" maxLength:"200" example:"防灾讲座"`
	Day         string `json:"day" format:"date"`
	Team        string `json:"team,omitempty" format:"uuid" doc:"Absent for all teams, which is for coordinators."`
	Site        string `json:"site,omitempty" format:"uuid"`
	Form        string `json:"form,omitempty" maxLength:"64" example:"talk"`
	ServiceArea string `json:"service_area" maxLength:"64" doc:"As the set-up names it." example:"psychological_support"`
	Audience    string `json:"audience,omitempty" maxLength:"500" doc:"For whom it is. No personal data."`
}

// Numbers of the fields of a planned activity that it may leave out.
const (
	activityTeam     protowire.Number = 2
	activitySite     protowire.Number = 1
	activityPlace    protowire.Number = 5
	activityForm     protowire.Number = 17
	activityAudience protowire.Number = 19
)

// message is the activity as a record, and the fields that it leaves empty.
func (p Activity) message(s *syncing.SetUp) (m *recordv1.CommunityActivity, cleared []protowire.Number, err error) {
	day, err := dateOf("day", p.Day)
	if err != nil {
		return nil, nil, err
	}
	on := int32(day)
	m = &recordv1.CommunityActivity{Name: &p.Name, OccurredOn: &on}
	area, err := choiceNamed(s, "service_area", recordv1.ServiceArea(0).Descriptor(), p.ServiceArea)
	if err != nil {
		return nil, nil, err
	}
	m.ServiceArea = recordv1.ServiceArea(area).Enum()
	if p.Form == "" {
		cleared = append(cleared, activityForm)
	} else {
		form, err := choiceNamed(s, "form", recordv1.ActivityForm(0).Descriptor(), p.Form)
		if err != nil {
			return nil, nil, err
		}
		m.Form = recordv1.ActivityForm(form).Enum()
	}
	if team, err := uuid.Parse(p.Team); err != nil { // it is validated: it names none
		cleared = append(cleared, activityTeam)
	} else if s.Teams[team] == nil {
		return nil, nil, problem.Newf(problem.InvalidArgument, "team: there is none of this id")
	} else {
		m.Team = team[:]
	}
	if site, err := uuid.Parse(p.Site); err != nil {
		cleared = append(cleared, activitySite, activityPlace)
	} else if s.Sites[site] == nil {
		return nil, nil, problem.Newf(problem.InvalidArgument, "site: there is none of this id")
	} else {
		m.Site, m.Place = site[:], s.Sites[site].GetPlace()
	}
	if p.Audience == "" {
		cleared = append(cleared, activityAudience)
	} else {
		m.Audience = &p.Audience
	}
	return m, cleared, nil
}

// choiceNamed is a value of an enumeration by its stable name, with the deployment's own service areas among them.
func choiceNamed(s *syncing.SetUp, parameter string, of protoreflect.EnumDescriptor, name string) (protoreflect.EnumNumber, error) {
	for _, o := range words.In("en").For(s.Deployment).Options(of) {
		if o.Name == name {
			return o.Number, nil
		}
	}
	return 0, problem.Newf(problem.InvalidArgument, "%s: there is none of this name", parameter)
}

type planIn struct {
	Scope
	Body Activity
}

type madeView struct {
	ID string `json:"id" format:"uuid"`
}

func (a *api) plan(ctx context.Context, in *planIn) (*given[madeView], error) {
	return ask(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader) (madeView, error) {
		m, _, err := in.Body.message(d.Syncing.SetUp())
		if err != nil {
			return madeView{}, err
		}
		id, err := d.Review.Plan(ctx, by, m)
		return madeView{id.String()}, err
	})
}

// OfActivity names a planned activity.
type OfActivity struct {
	Scope
	Activity string `path:"activity" format:"uuid" doc:"Id of the planned activity."`
}

func (in OfActivity) seen(position int64) review.Seen {
	id, _ := uuid.Parse(in.Activity)                       // validated
	return review.Seen{ID: id, Position: uint64(position)} //nolint:gosec // not negative
}

type replanIn struct {
	OfActivity
	Body struct {
		Activity
		Seen int64 `json:"seen" minimum:"1" doc:"As the list said it. When one of the fields was set since, the answer is changed_meanwhile."`
	}
}

func (a *api) replan(ctx context.Context, in *replanIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		m, cleared, err := in.Body.message(d.Syncing.SetUp())
		if err != nil {
			return err
		}
		return d.Review.Replan(ctx, by, in.seen(in.Body.Seen), m, cleared)
	})
}

type cancelPlannedIn struct {
	OfActivity
	Body struct {
		Seen int64 `json:"seen" minimum:"1" doc:"As the list said it."`
	}
}

func (a *api) cancelPlanned(ctx context.Context, in *cancelPlannedIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		return d.Review.CancelPlanned(ctx, by, in.seen(in.Body.Seen))
	})
}
