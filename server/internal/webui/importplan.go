package webui

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

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
	// change is empty when the record says all of it already. It has no id yet when it makes one.
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
		_, _ = h.Write(r.change.ID[:]) // zeros of what is made: it gets its id when it is
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r.change.Message)
		if err != nil {
			continue // a text that is not UTF-8, which is no cell
		}
		sum := sha256.Sum256(b)
		_, _ = h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// planning is the making of a plan.
type planning struct {
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
	i := &planning{visit: v, setUp: setUp, sheet: sheets[sort], at: map[string]int{}, rules: setUp.Rules, seen: map[string]int{}, siteNamed: named(setUp.Sites), teamNamed: named(setUp.Teams)}
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

// row is what a row comes to.
func (i *planning) row(t tableRow) importRow {
	r := &rowReading{planning: i, cells: t.cells}
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
	if !r.made {
		r.change.ID, r.change.Seen = id, syncing.SeenIn(was, r.fields...)
	}
	r.change.Message = set
	return r.importRow
}

// standing is a record of the set-up as it is.
func (i *planning) standing(id hlc.ID) record.Common {
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

// carryOut makes the changes of a plan, all or none.
func (v *visit) carryOut(p *importPlan) error {
	var changes []syncing.SetUpChange
	for _, r := range p.rows {
		if len(r.fields) == 0 {
			continue
		}
		if r.made {
			id, err := v.within.Syncing.NewID()
			if err != nil {
				return err
			}
			r.change.ID = id
		}
		m := r.change.Message.ProtoReflect()
		m.Set(m.Descriptor().Fields().ByNumber(commonAuthor), protoreflect.ValueOfBytes(v.author()))
		changes = append(changes, r.change)
	}
	return v.within.Syncing.ChangeSetUp(v.context(), v.person.Worker, changes...)
}
