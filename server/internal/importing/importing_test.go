package importing_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/export"
	"levee/server/internal/importing"
	"levee/server/internal/journal"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
	"levee/syncproto/words/wordstest"
)

func TestEveryMessageIsInBothLanguages(t *testing.T) { wordstest.CheckMessages(t, 20) }

// tb is what tests and their properties have in common.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// one is a deployment into which somebody imports.
type one struct {
	*servertest.Deployment
	id      hlc.ID
	service *syncing.Service
	imports *importing.Service
	workers map[string]hlc.ID
	noted   []audit.Entry
}

// Write implements importing.Log.
func (o *one) Write(_ context.Context, e audit.Entry) error {
	o.noted = append(o.noted, e)
	return nil
}

func (o *one) open() *one {
	o.imports = importing.New(importing.Config{Syncing: o.service, Store: o.DB.Deployment(o.id), Audit: o, Wall: o.Wall})
	return o
}

func newOne(t testing.TB) *one {
	d := servertest.New(t)
	return (&one{Deployment: d, id: d.ID, service: d.Service, workers: d.Workers}).open()
}

// beside is another deployment of the same server, set up alike by names: it has nothing but the set-up, under other ids.
func (o *one) beside(t *testing.T) *one {
	t.Helper()
	kept, err := journal.Open(filepath.Join(t.TempDir(), "journal"), o.Keys.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	other := &one{Deployment: o.Deployment, id: o.NewID(), workers: map[string]hlc.ID{}}
	other.service, err = syncing.Start(t.Context(), syncing.Config{Deployment: other.id, Store: o.DB.Deployment(other.id), Keys: o.Keys, Journal: kept.Deployment(other.id), Wall: o.Wall, Entropy: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		other.service.Close()
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	setUp, ids := o.service.SetUp(), map[string]hlc.ID{}
	anew := func(id []byte) []byte {
		if len(id) == 0 {
			return nil
		}
		if _, ok := ids[string(id)]; !ok {
			ids[string(id)] = o.NewID()
		}
		made := ids[string(id)]
		return made[:]
	}
	records := []syncing.SetUpRecord{{ID: other.id, Message: setUp.Deployment}}
	for id, m := range setUp.Sites {
		records = append(records, syncing.SetUpRecord{ID: hlc.ID(anew(id[:])), Message: m})
	}
	for id, m := range setUp.Teams {
		m = proto.CloneOf(m)
		m.Site = anew(m.GetSite())
		records = append(records, syncing.SetUpRecord{ID: hlc.ID(anew(id[:])), Message: m})
	}
	for id, m := range setUp.Workers {
		m = proto.CloneOf(m)
		m.Team = anew(m.GetTeam())
		records = append(records, syncing.SetUpRecord{ID: hlc.ID(anew(id[:])), Message: m})
		other.workers[m.GetName()] = hlc.ID(anew(id[:]))
	}
	if err := other.service.Add(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	return other.open()
}

func (o *one) by(name string) casefile.Reader {
	id := o.workers[name]
	return casefile.Reader{Person: o.service.Person(id), Actor: audit.Actor{Worker: id}, May: func(access.Action) bool { return true }}
}

// check is what a file comes to for somebody.
func (o *one) check(t tb, who string, f importing.File) *importing.Plan {
	t.Helper()
	p, err := o.imports.Check(context.Background(), o.by(who), f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// take imports a file with which nothing is wrong, and returns how many records were made.
func (o *one) take(t tb, who string, f importing.File) int {
	t.Helper()
	p := o.check(t, who, f)
	if p.Wrong > 0 {
		t.Fatalf("wrong: %v", said(p))
	}
	n, err := o.imports.Import(context.Background(), o.by(who), f, p.Digest)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// said are the faults of a plan, as people are told of them in English.
func said(p *importing.Plan) (all []string) {
	for _, f := range p.Faults {
		all = append(all, fmt.Sprintf("%s %d %s %s: %s", f.Table, f.Row, f.Column, f.Heading, f.Message(words.In("en"))))
	}
	return all
}

// text is a file with one table.
func text(kind string, lines ...string) importing.File {
	return importing.File{Name: kind + ".csv", Content: []byte(strings.Join(lines, "\n"))}
}

func (o *one) look(t tb, lang string, fn func(*export.Content) error) {
	t.Helper()
	if err := export.Look(context.Background(), o.DB.Deployment(o.id), o.Wall, export.Query{Whole: true, Confidential: true, Identities: true, Lang: lang}, fn); err != nil {
		t.Fatal(err)
	}
}

// exported is an export, as a ZIP file of text files or as a workbook.
func (o *one) exported(t tb, lang string, write func(*export.Content, io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	o.look(t, lang, func(c *export.Content) error { return write(c, &b) })
	return b.Bytes()
}

// rows are the rows of all tables of the kinds that are imported, as they stand in text files.
func (o *one) rows(t tb) (all []string) {
	t.Helper()
	o.look(t, "zh", func(c *export.Content) error {
		for _, k := range importing.Kinds() {
			err := c.Each(k, func(r export.Row) error {
				line := words.KindName(k)
				for _, column := range c.Columns(k) {
					line += "|" + column.Text(r)
				}
				all = append(all, line)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return all
}

// ids are the records of some kinds.
func (o *one) ids(t tb, kinds ...record.Kind) map[hlc.ID]record.Common {
	t.Helper()
	all := map[hlc.ID]record.Common{}
	o.look(t, "en", func(c *export.Content) error {
		for _, k := range kinds {
			if err := c.Each(k, func(r export.Row) error { all[r.ID] = r.Message; return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	return all
}

func (o *one) position(t tb) (at uint64) {
	t.Helper()
	o.look(t, "en", func(c *export.Content) error { at = c.Position; return nil })
	return at
}

// log has tablets log something of each kind that is imported, and something confidential.
func (o *one) log(t *testing.T) {
	t.Helper()
	anna, carl, coordinator := o.Enrol("anna"), o.Enrol("carl"), o.Enrol("coordinator")
	push := func(v *servertest.Device, m record.Common) []byte {
		c := v.Make(m)
		v.Push(c)
		return c.Record[:]
	}
	held, token := recordv1.Status_STATUS_HELD.Enum(), []byte("a token of 16 by")
	female := recordv1.Sex_SEX_FEMALE.Enum()
	activity := push(anna, &recordv1.CommunityActivity{Name: new("=HYPERLINK(\"http://example.org\")"), Site: o.Sites[0][:], Place: &recordv1.Place{Code: new("410621108"), Edition: new(int32(2023)), Village: new("东街")}, Status: held,
		Minutes: new(uint32(60)), RegisterUsed: new(true), Partners: []string{"村委会", "=1+1; x"}, Summary: new("一\n二"), Entry: recordv1.Entry_ENTRY_LIVE.Enum()})
	push(anna, &recordv1.CommunityActivity{Name: new("中秋"), DuplicateOf: activity, CoWorkers: [][]byte{anna.Worker[:], carl.Worker[:]}}) // a draft
	push(anna, &recordv1.Headcount{Activity: activity, Counter: anna.Worker[:], Zone: new("东"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(),
		Cells: []*recordv1.HeadcountCell{{Sex: female, AgeBand: new(uint32(2)), FirstTime: new(uint32(7)), Returning: new(uint32(1))}}})
	someone := push(anna, &recordv1.Participant{Token: token, Sex: female, Village: new("东街")})
	push(anna, &recordv1.Attendance{Activity: activity, Participant: someone, Token: token, Sex: female})
	file := push(anna, &recordv1.Case{CaseNo: new("HN-01"), OpenedOn: new(int32(20211001)), ClientCount: new(uint32(1)), ClientTokens: [][]byte{token},
		Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: anna.Worker[:], Categories: []recordv1.CaseCategory{1, 7}})
	push(anna, &recordv1.CaseIdentity{Case: file, Name: new("李某某")})
	push(anna, &recordv1.CaseSession{Case: file, Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_PHONE.Enum(),
		Minutes: new(uint32(45)), Attendees: new(uint32(2)), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(), Status: held})
	push(anna, &recordv1.Referral{Case: file, ToOrganisation: new("县医院")})
	push(anna, &recordv1.ResourceLink{Need: new("棉被"), RecipientCase: file})
	push(carl, &recordv1.ResourceLink{Need: new("大米")})
	outreach := push(carl, &recordv1.Outreach{Status: held, Households: new(uint32(3)), Needs: new("棉被\n药品")})
	push(carl, &recordv1.Headcount{Activity: outreach, Counter: carl.Worker[:], Zone: new("全村"), Method: recordv1.CountMethod_COUNT_METHOD_ESTIMATED.Enum(), FirstTime: new(uint32(12))})
	group := push(carl, &recordv1.Group{Name: new("成长小组"), Leader: carl.Worker[:]})
	push(carl, &recordv1.GroupSession{Group: group, Number: new(uint32(1)), Theme: new("相识"), Minutes: new(uint32(90)), Status: held})
	push(carl, &recordv1.Supervision{Supervisor: carl.Worker[:], Minutes: new(uint32(30))})
	gone := push(carl, &recordv1.Outreach{Households: new(uint32(1))})
	push(coordinator, &recordv1.CommunityActivity{Name: new("全体活动"), Minutes: new(uint32(60)), RegisterUsed: new(false), Status: recordv1.Status_STATUS_PLANNED.Enum()})
	carl.Pull()
	carl.Push(carl.Edit(hlc.ID(gone), &recordv1.Outreach{Deleted: new(true)}))
}

// TestAnExportIsImported into an empty deployment that was set up alike, from text files and from a workbook of either language:
// its export has the same rows. Importing it again changes nothing, nor does it where the records come from.
func TestAnExportIsImported(t *testing.T) {
	o := newOne(t)
	o.log(t)
	want := o.rows(t)
	if len(want) != 17 {
		t.Fatalf("%d rows were logged", len(want))
	}
	for name, write := range map[string]func(*export.Content, io.Writer) error{"levee.zip": export.ZIP, "levee.xlsx": export.XLSX} {
		for _, lang := range []string{"en", "zh"} {
			f := importing.File{Name: name, Content: o.exported(t, lang, write)}
			empty := o.beside(t)
			if n := empty.take(t, "coordinator", f); n != len(want) {
				t.Errorf("%s, %s: %d were made", name, lang, n)
			}
			if got := empty.rows(t); !slices.Equal(got, want) {
				t.Errorf("%s, %s:\n%s\nand not\n%s", name, lang, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if len(empty.noted) != 1 || empty.noted[0].Action != audit.Imported || empty.noted[0].Actor.Worker != empty.workers["coordinator"] || empty.noted[0].Subject.ID != empty.id {
				t.Errorf("noted: %v", empty.noted)
			}
			for _, there := range []*one{empty, o} {
				before := there.position(t)
				p := there.check(t, "coordinator", f)
				if n := there.take(t, "coordinator", f); n != 0 || p.Made() != 0 || p.Wrong > 0 || there.position(t) != before {
					t.Errorf("%s, %s: again, %d are made: %v", name, lang, n, said(p))
				}
				for _, table := range p.Tables {
					if table.Differing > 0 || table.Same == 0 {
						t.Errorf("%s, %s: again, %+v", name, lang, table)
					}
				}
			}
			if p := empty.check(t, "coordinator", f); len(p.LeftOut) < 6 || len(p.Unknown) > 0 || len(p.Tokenless) > 0 {
				t.Errorf("left out: %v %v %v", p.LeftOut, p.Unknown, p.Tokenless)
			}
		}
	}
}

// label is what people read above a column.
func label(k record.Kind, lang, field string) string {
	return words.In(lang).Field(record.New(k).ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(field)))
}

// TestPaperIsImported: a row without an id gets one that follows from what it says, and what goes without saying is filled in.
func TestPaperIsImported(t *testing.T) {
	o := newOne(t)
	activities := text("团体活动", "发生日期,服务领域,名称,备注,"+label(recordv1.Kind_KIND_COMMUNITY_ACTIVITY, "zh", "minutes")+",使用签到表,记录人",
		"2021/9/28,心理疏导,中秋,好,90,否,anna", "2021-09-28,心理疏导,中秋,,90,否,anna", "2021年9月29日,文化重建,讲座,,60,是,carl")
	if n := o.take(t, "coordinator", activities); n != 3 {
		t.Fatalf("%d were made", n)
	}
	rows := o.rows(t)
	if len(rows) != 3 || !strings.Contains(rows[0], "|one|anna|2021-09-28|410621108|2023||held|psychological_support||backfilled|") || !strings.Contains(rows[2], "|two|carl|2021-09-29|410781106|2023||held|cultural_rebuilding||backfilled|") {
		t.Errorf("made:\n%s", strings.Join(rows, "\n"))
	}
	before := o.position(t)
	p := o.check(t, "coordinator", activities)
	if n := o.take(t, "coordinator", activities); n != 0 || p.Tables[0].Same != 3 || o.position(t) != before {
		t.Errorf("again, %d are made, and %+v", n, p.Tables)
	}
	if !slices.Equal(p.Unknown, []importing.UnknownColumn{{Table: "", Heading: "备注"}}) {
		t.Errorf("unknown: %v", p.Unknown)
	}
	// In another order, under other headings, by somebody else: the same records.
	again := text("community_activity", "author,minutes,name,register_used,service_area,occurred_on", "carl,60,讲座,yes,cultural_rebuilding,2021-09-29", "anna,90,中秋,no,心理疏导,2021-09-28", "anna,90,中秋,no,心理疏导,2021-09-28")
	if p := o.check(t, "coordinator", again); p.Made() != 0 || p.Tables[0].Same != 3 {
		t.Errorf("in another order, %+v", p.Tables)
	}
	for id := range maps.Keys(o.ids(t, recordv1.Kind_KIND_COMMUNITY_ACTIVITY)) {
		if id[6]>>4 != 7 || id[8]>>6 != 2 {
			t.Errorf("%v is no UUIDv7", id)
		}
	}
}

// TestWhoMayImportWhat: coordinators everything, those who lead what is of their own teams, and nobody into a closed deployment.
func TestWhoMayImportWhat(t *testing.T) {
	o := newOne(t)
	own := text("outreach", "team,occurred_on,service_area,households", "one,2021-09-28,心理疏导,3")
	other := text("outreach", "team,occurred_on,service_area,households", "one,2021-09-28,心理疏导,4", "two,2021-09-28,心理疏导,3")
	nobodys := text("outreach", "id,occurred_on,service_area,households", o.NewID().String()+",2021-09-28,心理疏导,3")
	for who, want := range map[string][3]string{
		"coordinator": {},
		"super":       {"", " 3 A team: This belongs to a team that is not yours. Only a coordinator may import it.", " 2  : team: Say the team. Only a coordinator makes records that belong to the whole deployment."},
		"lead":        {"", " 3 A team: This belongs to a team that is not yours. Only a coordinator may import it.", " 2  : team: Say the team. Only a coordinator makes records that belong to the whole deployment."},
	} {
		for i, f := range []importing.File{own, other, nobodys} {
			if got := strings.Join(said(o.check(t, who, f)), "\n"); got != want[i] {
				t.Errorf("%s, %d: %q", who, i, got)
			}
		}
	}
	if _, err := o.imports.Check(t.Context(), o.by("anna"), own); problem.CodeOf(err) != problem.NotAllowed {
		t.Errorf("a field worker: %v", err)
	}
	if n := o.take(t, "lead", own); n != 1 {
		t.Errorf("%d were made", n)
	}
	// What is there of another team is not told of.
	o.take(t, "coordinator", other)
	there := ""
	for id, m := range o.ids(t, recordv1.Kind_KIND_OUTREACH) {
		if hlc.ID(m.GetTeam()) == o.Teams[1] {
			there = id.String()
		}
	}
	if p := o.check(t, "lead", text("outreach", "id,team,households", there+",one,3")); p.Wrong != 1 || !strings.Contains(said(p)[0], "not yours") {
		t.Errorf("of another team: %v", said(p))
	}
	closed := recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED
	if err := o.service.ChangeSetUp(t.Context(), hlc.ID{}, syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: o.id, Message: &recordv1.Deployment{State: closed.Enum()}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.imports.Check(t.Context(), o.by("coordinator"), own); problem.CodeOf(err) != problem.NotAllowed {
		t.Errorf("closed: %v", err)
	}
}

// TestMarksTieRows of a workbook or ZIP file to each other: what is in the column of ids and no id holds within the file.
func TestMarksTieRows(t *testing.T) {
	o := newOne(t)
	session := func(field string) string { return label(recordv1.Kind_KIND_GROUP_SESSION, "zh", field) }
	f := importing.File{Name: "历史.zip", Content: zipped(t, map[string]string{
		"headcount.csv":     "activity,counter,zone,method,cells,occurred_on\n 第一节 ,anna,东,清点,\"性别=女，年龄段=18–59，首次=3\",2021-09-26\n",
		"小组活动.csv":          strings.Join([]string{"编号", session("group"), session("number"), session("theme"), session("minutes"), "发生日期", "风马牛"}, ",") + "\n第一节,小组1,1,相识,60,2021-09-26,x\n",
		"group.csv":         "id,name,leader,service_area,occurred_on,team\n小组1,成长小组,anna,心理疏导,2021-09-25,one\n",
		"case_identity.csv": "case,name\nx,李某某\n",
	})}
	p := o.check(t, "lead", f)
	if p.Wrong > 0 || p.Made() != 3 || !slices.Equal(p.LeftOut, []string{"case_identity.csv"}) || len(p.Unknown) != 1 {
		t.Fatalf("%v, %+v, left out %v", said(p), p.Tables, p.LeftOut)
	}
	o.take(t, "lead", f)
	if got := o.rows(t); len(got) != 3 || !strings.Contains(got[1], "|one|lead|2021-09-26|410621108|2023||held|psychological_support||backfilled|") || !strings.Contains(got[2], "|psychological_support||backfilled|") {
		t.Errorf("made:\n%s", strings.Join(got, "\n"))
	}
	if n := o.take(t, "lead", f); n != 0 {
		t.Errorf("again, %d are made", n)
	}
}

// TestWhatDiffersIsLeft: a record that is there already and says something else by now is not overwritten.
func TestWhatDiffersIsLeft(t *testing.T) {
	o := newOne(t)
	o.log(t)
	f := importing.File{Name: "levee.zip", Content: o.exported(t, "en", export.ZIP)}
	anna := o.Enrol("anna")
	anna.Pull()
	for id := range o.ids(t, recordv1.Kind_KIND_CASE) {
		anna.Push(anna.Edit(id, &recordv1.Case{Risk: recordv1.RiskDegree_RISK_DEGREE_HIGH.Enum()}))
	}
	before := o.position(t)
	p := o.check(t, "coordinator", f)
	i := slices.IndexFunc(p.Tables, func(t importing.Table) bool { return t.Kind == recordv1.Kind_KIND_CASE })
	if p.Wrong > 0 || p.Tables[i].Differing != 1 || p.Tables[i].Same != 0 || p.Made() != 0 {
		t.Errorf("%v %+v", said(p), p.Tables[i])
	}
	o.take(t, "coordinator", f)
	if o.position(t) != before {
		t.Error("it was overwritten")
	}
}

// TestAnImportGoesOn where it broke off, and does what its plan said or nothing.
func TestAnImportGoesOn(t *testing.T) {
	o := newOne(t)
	lines := []string{"team,occurred_on,service_area,households"}
	for n := range 250 {
		lines = append(lines, fmt.Sprintf("one,2021-09-28,心理疏导,%d", n+1))
	}
	f := text("outreach", lines...)
	p := o.check(t, "coordinator", f)
	commits := 0
	ctx, stop := context.WithCancel(t.Context())
	o.Observe(func(syncing.Commit) {
		if commits++; commits == 2 {
			stop() // nobody waits for the next one
		}
	})
	n, err := o.imports.Import(ctx, o.by("coordinator"), f, p.Digest)
	if err == nil || n == 0 || n == 250 {
		t.Fatalf("%d were made, and %v", n, err)
	}
	o.Observe(func(syncing.Commit) {})
	o.position(t)
	if _, err := o.imports.Import(t.Context(), o.by("coordinator"), f, p.Digest); problem.CodeOf(err) != problem.ChangedMeanwhile {
		t.Errorf("with the plan of before: %v", err)
	}
	o.take(t, "coordinator", f)
	if got := o.ids(t, recordv1.Kind_KIND_OUTREACH); len(got) != 250 {
		t.Errorf("%d are there", len(got))
	}
}
