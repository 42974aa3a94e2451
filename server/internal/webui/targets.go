package webui

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/progress"
	"levee/server/internal/rollup"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

const deploymentTargets protowire.Number = 28

// targetable are the figures for which there may be targets: what teams and workers do, each counted once.
var targetable = []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts", "persons"}

// figureOptions are the figures for which there may be targets, in the deployment's words.
func (v *visit) figureOptions() (list []option) {
	for _, f := range v.within.Progress.Figures() {
		if slices.Contains(targetable, f.Name) {
			list = append(list, option{f.Name, v.figureLabel(f)})
		}
	}
	return list
}

// placeFigureOptions are those for which there may be targets of a place besides.
func (v *visit) placeFigureOptions() (list []option) {
	for _, name := range rollup.StationFigures {
		list = append(list, option{name, v.placeFigure(name)})
	}
	return list
}

func (v *visit) figureLabel(f progress.Figure) string { return v.Either(f.Label.En, f.Label.Zh) }

// editTargets edits what the coordinator expects of teams and workers.
func (v *visit) editTargets() error {
	setUp := v.within.Syncing.SetUp()
	was, terms := setUp.Deployment, v.terms()
	f, rows := v.setUpForm(was, deploymentTargets), len(was.GetTargets())+moreRows
	figures, teams := append(v.figureOptions(), v.placeFigureOptions()...), options(setUp.Teams)
	periods, of := choices(terms, recordv1.TargetPeriod(0).Descriptor()), choices(terms, recordv1.TargetOf(0).Descriptor())
	for i := range rows {
		t := &recordv1.Target{}
		if i < len(was.GetTargets()) {
			t = was.GetTargets()[i]
		}
		at, group, value := strconv.Itoa(i+1), v.T("target_n", i+1), ""
		if t.Value != nil {
			value = strconv.Itoa(int(t.GetValue()))
		}
		f.add(&field{Name: "value_" + at, Label: v.T("field_at_least"), Group: group, Mode: "numeric", Value: value},
			&field{Name: "figure_" + at, Label: v.T("field_figure"), Group: group, Sort: "select", Value: t.GetFigure(), Options: figures},
			&field{Name: "period_" + at, Label: v.T("field_period"), Group: group, Sort: "select", Required: true, Value: terms.OptionOf(t.GetPeriod().Descriptor(), t.GetPeriod().Number()).Name, Options: periods},
			&field{Name: "of_" + at, Label: v.T("field_by"), Group: group, Sort: "select", Required: true, Value: terms.OptionOf(t.GetOf().Descriptor(), t.GetOf().Number()).Name, Options: of},
			&field{Name: "team_" + at, Label: v.T("field_in_team"), Group: group, Sort: "select", Value: chosen(t.GetTeam()), Options: teams},
			&field{Name: "place_" + at, Label: v.T("field_target_place"), Group: group, Mode: "numeric", Value: t.GetPlaceCode()},
			&field{Name: "due_" + at, Label: v.T("field_target_due"), Group: group, Sort: "date", Value: day(t.GetDueOn())})
	}
	show := func() error { return v.showSetUpForm("title_edit_targets", f, v.T("targets_lead")) }
	if !v.filled(f) {
		return show()
	}
	d := &recordv1.Deployment{}
	for i := range rows {
		if t := v.targetIn(f, strconv.Itoa(i+1)); t != nil {
			d.Targets = append(d.Targets, t)
		}
	}
	if !f.ok() {
		return show()
	}
	return v.saveDeployment(d, f, show, nil, deploymentTargets)
}

// targetIn is the target that a row of the form says; nil when it says none.
func (v *visit) targetIn(f *form, row string) *recordv1.Target {
	figure, text := f.value("figure_"+row), f.value("value_"+row)
	if figure == "" && text == "" {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	switch {
	case figure == "":
		f.wrong("figure_"+row, v.T("wrong_missing"))
	case err != nil || n == 0:
		f.wrong("value_"+row, v.T("wrong_number"))
	}
	t := &recordv1.Target{Figure: &figure, Value: proto.Uint32(uint32(n)),
		Period: recordv1.TargetPeriod(recordv1.TargetPeriod_value["TARGET_PERIOD_"+strings.ToUpper(f.value("period_"+row))]).Enum(),
		Of:     recordv1.TargetOf(recordv1.TargetOf_value["TARGET_OF_"+strings.ToUpper(f.value("of_"+row))]).Enum()}
	if team := parsed(f.value("team_" + row)); team != (hlc.ID{}) {
		t.Team = team[:]
	}
	v.targetPlace(f, row, t)
	return t
}

// targetPlace fills in of which place a target is, and by when. Teams and workers have neither; places have no team.
func (v *visit) targetPlace(f *form, row string, t *recordv1.Target) {
	code, due := f.value("place_"+row), f.value("due_"+row)
	if t.GetOf() != recordv1.TargetOf_TARGET_OF_PLACE {
		switch {
		case slices.Contains(rollup.StationFigures, t.GetFigure()):
			f.wrong("figure_"+row, v.T("wrong_target_figure"))
		case code != "":
			f.wrong("place_"+row, v.T("wrong_target_place"))
		case due != "":
			f.wrong("due_"+row, v.T("wrong_target_place"))
		}
		return
	}
	if t.PlaceCode = &code; !placeCode(code) {
		f.wrong("place_"+row, v.T("wrong_place"))
	}
	if t.Team != nil {
		f.wrong("team_"+row, v.T("wrong_target_team"))
	}
	if due != "" {
		on, err := record.ParseDate(due)
		if err != nil {
			f.wrong("due_"+row, v.T("wrong_date"))
		}
		t.DueOn = proto.Int32(int32(on))
	}
}

func (v *visit) targetsShown() (lines []string) {
	setUp, terms := v.within.Syncing.SetUp(), v.terms()
	labels := map[string]string{}
	for _, o := range v.figureOptions() {
		labels[o.Value] = o.Label
	}
	for _, t := range setUp.Deployment.GetTargets() {
		parts := []string{v.Number(int64(t.GetValue())), labels[t.GetFigure()], choice(terms, t.GetPeriod()), choice(terms, t.GetOf())}
		if team := setUp.Teams[idOf(t.GetTeam())]; team != nil {
			parts = append(parts, team.GetName())
		}
		if t.GetOf() == recordv1.TargetOf_TARGET_OF_PLACE {
			parts = []string{v.Number(int64(t.GetValue())), v.placeFigure(t.GetFigure()), progress.LabelOf(setUp, tally.Place, t.GetPlaceCode()).In(v.Lang())}
			if due := record.Date(t.GetDueOn()); due.Valid() {
				parts = append(parts, v.T("target_due", v.Date(due)))
			}
		}
		lines = append(lines, v.List(parts))
	}
	return lines
}
