package webui

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/places"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// rowReading is the reading of one row.
type rowReading struct {
	*planning
	importRow
	cells []string
}

// cell is what stands in a column; empty when the file has none.
func (r *rowReading) cell(column string) string {
	n, ok := r.at[column]
	if !ok || n >= len(r.cells) {
		return ""
	}
	return r.cells[n]
}

// bad says what is wrong with a cell.
func (r *rowReading) bad(column, message string, args ...any) {
	r.badText(column, r.T(message, args...))
}

func (r *rowReading) badText(column, text string) {
	i := slices.IndexFunc(r.sheet.columns, func(c heading) bool { return c.name == column })
	r.wrong = append(r.wrong, wrongCell{r.sheet.columns[i].shown(r.wording), r.cell(column), text})
}

// validate says what a record can't hold at the cell that says it.
func (r *rowReading) validate(set proto.Message) {
	encoded, err := proto.Marshal(set)
	if err != nil {
		r.bad("name", "wrong_text")
		return
	}
	fields, err := record.Canonical(r.sheet.kind, encoded)
	if err != nil {
		r.bad("name", "wrong_text")
		return
	}
	for _, wrong := range record.Validate(r.sheet.kind, fields, r.rules) {
		at := "name"
		for _, c := range r.sheet.columns {
			if c.field == wrong.Field && at == "name" {
				at = c.name
			}
		}
		r.badText(at, record.Message(wrong.Code, r.Lang()))
	}
}

// site reads what a row says of a site.
func (r *rowReading) site(m, was *recordv1.Site) {
	code := r.placeCell(was)
	village := r.cell("village")
	if code != "" || village != "" {
		m.Place = proto.CloneOf(was.GetPlace())
		if m.Place == nil {
			m.Place = &recordv1.Place{}
		}
		if code != "" && code != m.Place.GetCode() {
			m.Place = &recordv1.Place{Code: &code, Edition: editionOf(code)}
		}
		if village != "" {
			m.Place.Village = &village
		}
	}
	if was.GetPlace() == nil && code == "" && len(r.wrong) == 0 {
		r.bad("code", "wrong_missing")
	}
	m.LatitudeE6, m.LongitudeE6 = r.degrees("latitude", 90), r.degrees("longitude", 180)
	if m.LatitudeE6 == nil && was.LatitudeE6 == nil && m.LongitudeE6 != nil {
		r.bad("latitude", "wrong_coordinate")
	}
	if m.LongitudeE6 == nil && was.LongitudeE6 == nil && m.LatitudeE6 != nil {
		r.bad("longitude", "wrong_coordinate")
	}
	m.Planned = r.yesOrNo("planned")
	if !m.GetPlanned() && !was.GetPlanned() {
		m.Planned = nil // no is what is so when nothing is said
	}
}

// placeCell is the code of the place that a row says, by its code or its name; empty when it says none.
func (r *rowReading) placeCell(was *recordv1.Site) string {
	code, name := r.cell("code"), r.cell("place")
	if code != "" {
		if !placeCode(code) {
			r.bad("code", "wrong_place")
		}
		return code
	}
	if name == "" || was.GetPlace() != nil && strings.HasSuffix(placePath(&recordv1.Place{Code: was.GetPlace().Code}), name) {
		return ""
	}
	path := strings.FieldsFunc(name, func(c rune) bool { return strings.ContainsRune(" 　›>/,，、", c) })
	found := places.Find(strings.Join(path, " "), places.MaxFound)
	own := slices.DeleteFunc(slices.Clone(found), func(p places.Place) bool { return p.Name != path[len(path)-1] })
	switch {
	case len(own) == 1:
		return own[0].Code
	case len(found) == 1:
		return found[0].Code
	case len(found) == 0:
		r.bad("place", "wrong_no_place")
	default:
		r.bad("place", "wrong_many_places", len(found))
	}
	return ""
}

func (r *rowReading) degrees(column string, most float64) *int32 {
	text := r.cell(column)
	if text == "" {
		return nil
	}
	m, ok := millionths(text, most)
	if !ok {
		r.bad(column, "wrong_degrees", int(most), int(most))
		return nil
	}
	return &m
}

func (r *rowReading) yesOrNo(column string) *bool {
	text := r.cell(column)
	if text == "" {
		return nil
	}
	answer, ok := words.ReadYesOrNo(text)
	if !ok {
		r.bad(column, "wrong_yes_no")
	}
	return &answer
}

// team reads what a row says of a team.
func (r *rowReading) team(m *recordv1.Team) {
	if name := r.cell("site"); name != "" {
		if id := r.one("site", name, r.siteNamed, "wrong_no_site"); id != (hlc.ID{}) {
			m.Site, m.Place = id[:], r.setUp.Sites[id].GetPlace()
		}
	}
}

// one is the record of a name; zero when there is none, or more than one, which is said.
func (r *rowReading) one(column, name string, all map[string]hlc.ID, none string) hlc.ID {
	id, ok := all[name]
	switch {
	case !ok:
		r.bad(column, none, name)
	case id == (hlc.ID{}):
		r.bad(column, "wrong_ambiguous")
	}
	return id
}

// worker reads what a row says of a worker.
func (r *rowReading) worker(m, was *recordv1.Worker, id hlc.ID) {
	if n, ok := r.choice("role", recordv1.Role(0).Descriptor()); ok {
		m.Role = recordv1.Role(n).Enum()
	} else if r.made {
		m.Role = recordv1.Role_ROLE_FIELD_WORKER.Enum()
	}
	if n, ok := r.choice("type", recordv1.WorkerType(0).Descriptor()); ok {
		m.Type = recordv1.WorkerType(n).Enum()
	} else if r.made {
		m.Type = recordv1.WorkerType_WORKER_TYPE_VOLUNTEER.Enum()
	}
	if n, ok := r.choice("qualification", recordv1.Qualification(0).Descriptor()); ok {
		m.Qualification = recordv1.Qualification(n).Enum()
	}
	m.Phone, m.Email = ifAny(r.cell("phone")), ifAny(r.cell("email"))
	if m.Email != nil && !emailAddress(m.GetEmail()) {
		r.bad("email", "wrong_email")
	}
	m.FromOn, m.ToOn = r.date("from"), r.date("to")
	if name := r.cell("team"); name != "" {
		if team := r.one("team", name, r.teamNamed, "wrong_no_such_team"); team != (hlc.ID{}) {
			m.Team = team[:]
		}
	}
	merged := proto.CloneOf(was)
	proto.Merge(merged, m)
	r.supervision(m, merged.GetRole())
	if needsTeam(merged) && r.cell("team") == "" {
		r.bad("team", "wrong_no_team")
	}
	if id == r.person.Worker && merged.GetRole() != recordv1.Role_ROLE_COORDINATOR {
		r.bad("role", "wrong_own_role")
	}
}

// supervision reads what only supervisors have.
func (r *rowReading) supervision(m *recordv1.Worker, role recordv1.Role) {
	for _, name := range strings.FieldsFunc(r.cell("supervises"), func(c rune) bool { return strings.ContainsRune(";；、", c) }) {
		name = strings.TrimSpace(name)
		if team := r.one("supervises", name, r.teamNamed, "wrong_no_such_team"); team != (hlc.ID{}) {
			m.Supervises = append(m.Supervises, team[:])
		}
	}
	external := r.yesOrNo("external")
	if external != nil && *external {
		m.External = external
	}
	if role == recordv1.Role_ROLE_SUPERVISOR {
		return
	}
	if len(m.GetSupervises()) > 0 {
		r.bad("supervises", "wrong_no_supervisor")
	}
	if m.GetExternal() {
		r.bad("external", "wrong_no_supervisor")
	}
}

// choice is the value of an enumeration that a cell says: by its name, or by its word in either language.
func (r *rowReading) choice(column string, of protoreflect.EnumDescriptor) (protoreflect.EnumNumber, bool) {
	text := strings.ToLower(r.cell(column))
	if text == "" {
		return 0, false
	}
	var labels []string
	for _, o := range r.terms().Options(of) {
		if o.Number == 0 {
			continue
		}
		if slices.Contains([]string{strings.ToLower(o.EN), strings.ToLower(o.ZH), o.Name}, text) {
			return o.Number, true
		}
		labels = append(labels, o.Label)
	}
	r.bad(column, "wrong_one_of", r.List(labels))
	return 0, false
}

func (r *rowReading) date(column string) *int32 {
	text := r.cell(column)
	if text == "" {
		return nil
	}
	d, ok := words.ReadDate(text)
	if !ok {
		r.bad(column, "wrong_date")
		return nil
	}
	return proto.Int32(int32(d))
}
