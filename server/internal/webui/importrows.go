package webui

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/places"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// heading is that of a column of a file: what it is called in both languages, the first of which stands in templates, and the
// field of the record that the column says.
type heading struct {
	name  string
	en    []string
	zh    []string
	field protowire.Number
}

// shown is the heading in a language.
func (c heading) shown(w *wording) string { return w.Either(c.en[0], c.zh[0]) }

// sheet is what a file of one kind of record has: its columns, of which the first is the name.
type sheet struct {
	kind    record.Kind
	columns []heading
}

var sheets = map[string]sheet{
	"sites": {recordv1.Kind_KIND_SITE, []heading{
		{"name", []string{"name", "site"}, []string{"名称", "服务点", "服务点名称"}, namedName},
		{"code", []string{"place code", "code"}, []string{"行政区划代码", "区划代码", "代码"}, commonPlace},
		{"place", []string{"place"}, []string{"地点"}, commonPlace},
		{"village", []string{"village or group", "village"}, []string{"村/组", "村组", "村"}, commonPlace},
		{"latitude", []string{"latitude"}, []string{"纬度"}, siteLatitude},
		{"longitude", []string{"longitude"}, []string{"经度"}, siteLongitude},
		{"planned", []string{"planned"}, []string{"计划中"}, sitePlanned},
	}},
	"teams": {recordv1.Kind_KIND_TEAM, []heading{
		{"name", []string{"name", "team"}, []string{"名称", "服务队", "服务队名称"}, namedName},
		{"site", []string{"site"}, []string{"服务点"}, commonSite},
	}},
	"workers": {recordv1.Kind_KIND_WORKER, []heading{
		{"name", []string{"name"}, []string{"姓名", "名称"}, namedName},
		{"role", []string{"role"}, []string{"角色"}, workerRole},
		{"team", []string{"team"}, []string{"服务队"}, commonTeam},
		{"type", []string{"by training", "type"}, []string{"类型"}, workerType},
		{"qualification", []string{"qualification"}, []string{"职业资格"}, workerQualification},
		{"phone", []string{"phone"}, []string{"电话"}, workerPhone},
		{"email", []string{"e-mail", "email"}, []string{"电子邮箱", "邮箱"}, workerEmail},
		{"from", []string{"from"}, []string{"到岗日期"}, workerFrom},
		{"to", []string{"to"}, []string{"离岗日期"}, workerTo},
		{"supervises", []string{"supervises"}, []string{"督导的服务队"}, workerSupervises},
		{"external", []string{"external supervisor", "external"}, []string{"外部督导"}, workerExternal},
	}},
}

// importRow is what a row of a file comes to.
type importRow struct {
	number int
	name   string
	// made: there is no record of this name yet.
	made bool
	// change is empty when the record says all of it already.
	change syncing.SetUpChange
	fields []protowire.Number
	wrong  []wrongCell
}

// wrongCell is a cell that can't be taken.
type wrongCell struct{ column, typed, text string }

// importPlan is what a file comes to, as the set-up is now.
type importPlan struct {
	sheet sheet
	rows  []importRow
	// unknown are headings that say nothing here.
	unknown []string
}

// wrong counts the rows that can't be taken, made and changed those that would do something.
func (p *importPlan) counts() (wrong, made, changed int) {
	for _, r := range p.rows {
		switch {
		case len(r.wrong) > 0:
			wrong++
		case r.made:
			made++
		case len(r.fields) > 0:
			changed++
		}
	}
	return wrong, made, changed
}

// digest tells one plan from another: an import does what its preview said, or nothing.
func (p *importPlan) digest() string {
	h := sha256.New()
	for _, r := range p.rows {
		if len(r.wrong) > 0 || len(r.fields) == 0 {
			continue
		}
		if !r.made { // what is made gets another id each time
			_, _ = h.Write(r.change.ID[:])
		}
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r.change.Message)
		if err != nil {
			continue // a text that is not UTF-8, which is no cell
		}
		sum := sha256.Sum256(b)
		_, _ = h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// importing is the making of a plan.
type importing struct {
	*visit
	setUp *syncing.SetUp
	sheet sheet
	// at says in which cell of a row a column is.
	at    map[string]int
	rules record.Deployment
	// seen is the row in which a name was met.
	seen map[string]int
	// siteNamed, teamNamed and existing are by name; two of one name have the zero id.
	siteNamed, teamNamed, existing map[string]hlc.ID
}

// planImport is what a file of a sort comes to.
func (v *visit) planImport(sort string, t *table) (*importPlan, *tableFault) {
	setUp := v.within.Syncing.SetUp()
	i := &importing{visit: v, setUp: setUp, sheet: sheets[sort], at: map[string]int{}, rules: setUp.Rules, seen: map[string]int{}, siteNamed: named(setUp.Sites), teamNamed: named(setUp.Teams)}
	i.rules.Now = v.Wall()
	switch i.sheet.kind {
	case recordv1.Kind_KIND_SITE:
		i.existing = i.siteNamed
	case recordv1.Kind_KIND_TEAM:
		i.existing = i.teamNamed
	default:
		i.existing = named(setUp.Workers)
	}
	p := &importPlan{sheet: i.sheet}
	for n, text := range t.headings {
		c, ok := i.sheet.columnOf(text)
		if _, twice := i.at[c.name]; ok && twice {
			return nil, &tableFault{"wrong_table_twice", []any{text}}
		}
		if ok {
			i.at[c.name] = n
		} else if text != "" {
			p.unknown = append(p.unknown, text)
		}
	}
	if _, ok := i.at["name"]; !ok {
		return nil, &tableFault{"wrong_table_name", []any{i.sheet.columns[0].shown(v.wording)}}
	}
	for _, r := range t.rows {
		p.rows = append(p.rows, i.row(r))
	}
	return p, nil
}

// named are records by name; two of one name have the zero id.
func named[M interface{ GetName() string }](all map[hlc.ID]M) map[string]hlc.ID {
	by := map[string]hlc.ID{}
	for id, m := range all {
		if _, twice := by[m.GetName()]; twice {
			id = hlc.ID{}
		}
		by[m.GetName()] = id
	}
	return by
}

// columnOf is the column of a heading, in either language, however it is spaced.
func (s sheet) columnOf(text string) (heading, bool) {
	plain := func(text string) string {
		return strings.NewReplacer(" ", "", "_", "", "-", "", "　", "").Replace(strings.ToLower(text))
	}
	for _, c := range s.columns {
		for _, name := range append(slices.Clone(c.en), c.zh...) {
			if plain(name) == plain(text) {
				return c, true
			}
		}
	}
	return heading{}, false
}

// rowReading is the reading of one row.
type rowReading struct {
	*importing
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

// row is what a row comes to.
func (i *importing) row(t tableRow) importRow {
	r := &rowReading{importing: i, cells: t.cells}
	r.number, r.name = t.number, r.cell("name")
	id, there := i.existing[r.name]
	earlier, twice := i.seen[r.name]
	switch {
	case r.name == "":
		r.bad("name", "wrong_missing")
	case twice:
		r.bad("name", "wrong_row_twice", earlier)
	case there && id == (hlc.ID{}):
		r.bad("name", "wrong_ambiguous")
	}
	i.seen[r.name] = t.number
	r.made = !there
	was := record.New(i.sheet.kind)
	if there && id != (hlc.ID{}) {
		was = i.standing(id)
	}
	set := record.New(i.sheet.kind)
	switch m := set.(type) {
	case *recordv1.Site:
		r.site(m, was.(*recordv1.Site)) //nolint:forcetypeassert // of one kind
	case *recordv1.Team:
		r.team(m)
	case *recordv1.Worker:
		r.worker(m, was.(*recordv1.Worker), id) //nolint:forcetypeassert // of one kind
	}
	if r.name != "" {
		set.ProtoReflect().Set(set.ProtoReflect().Descriptor().Fields().ByNumber(namedName), protoreflect.ValueOfString(r.name))
	}
	r.validate(set)
	if len(r.wrong) > 0 {
		return r.importRow
	}
	r.fields = differing(was, set)
	if r.made {
		if id, err := i.within.Syncing.NewID(); err == nil {
			r.change.ID = id
		}
	} else {
		r.change.ID, r.change.Seen = id, syncing.SeenIn(was, r.fields...)
	}
	r.change.Message = set
	return r.importRow
}

// standing is a record of the set-up as it is.
func (i *importing) standing(id hlc.ID) record.Common {
	switch i.sheet.kind {
	case recordv1.Kind_KIND_SITE:
		return i.setUp.Sites[id]
	case recordv1.Kind_KIND_TEAM:
		return i.setUp.Teams[id]
	default:
		return i.setUp.Workers[id]
	}
}

// differing are the fields that one record says and another does not say so.
func differing(was, set proto.Message) (fields []protowire.Number) {
	set.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if !was.ProtoReflect().Has(f) || !v.Equal(was.ProtoReflect().Get(f)) {
			fields = append(fields, f.Number())
		}
		return true
	})
	slices.Sort(fields)
	return fields
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
	words := strings.FieldsFunc(name, func(c rune) bool { return strings.ContainsRune(" 　›>/,，、", c) })
	found := places.Find(strings.Join(words, " "), places.MaxFound)
	own := slices.DeleteFunc(slices.Clone(found), func(p places.Place) bool { return p.Name != words[len(words)-1] })
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

var yesWords, noWords = []string{"yes", "y", "true", "1", "是", "√"}, []string{"no", "n", "false", "0", "否", "×"}

func (r *rowReading) yesOrNo(column string) *bool {
	text := strings.ToLower(r.cell(column))
	switch {
	case text == "":
		return nil
	case slices.Contains(yesWords, text):
		return proto.Bool(true)
	case !slices.Contains(noWords, text):
		r.bad(column, "wrong_yes_no")
	}
	return proto.Bool(false)
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

// dayLayouts are how spreadsheets write days.
var dayLayouts = []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日"}

func (r *rowReading) date(column string) *int32 {
	text := r.cell(column)
	if text == "" {
		return nil
	}
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return proto.Int32(int32(record.MakeDate(t.Date())))
		}
	}
	r.bad(column, "wrong_date")
	return nil
}

// carryOut makes the changes of a plan, all or none.
func (v *visit) carryOut(p *importPlan) error {
	var changes []syncing.SetUpChange
	for _, r := range p.rows {
		if len(r.fields) == 0 {
			continue
		}
		m := r.change.Message.ProtoReflect()
		m.Set(m.Descriptor().Fields().ByNumber(commonAuthor), protoreflect.ValueOfBytes(v.author()))
		changes = append(changes, r.change)
	}
	return v.within.Syncing.ChangeSetUp(v.context(), v.person.Worker, changes...)
}
