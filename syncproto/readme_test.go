package syncproto_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// The README is the protocol for whoever writes another client. These tests read its tables and compare them with the
// code, so that neither can move without the other.

func readmeText(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// table is the rows of the table whose header begins with some cells.
func table(t *testing.T, header ...string) [][]string {
	t.Helper()
	var rows [][]string
	found, inside := false, false
	for line := range strings.Lines(readmeText(t)) {
		cells := cellsOf(line)
		switch {
		case cells == nil:
			inside = false
		case len(cells) >= len(header) && slices.Equal(cells[:len(header)], header):
			if found {
				t.Fatalf("README.md has two tables that begin with %q", header)
			}
			found, inside = true, true
		case inside && strings.Trim(cells[0], "-") != "":
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("README.md has no table that begins with %q", header)
	}
	return rows
}

// cellsOf are the cells of a table's line; nil for any other line.
func cellsOf(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") {
		return nil
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

var code = regexp.MustCompile("`([^`]*)`")

// names are the words in a cell that are set as code.
func names(cell string) []string {
	var all []string
	for _, m := range code.FindAllStringSubmatch(cell, -1) {
		all = append(all, m[1])
	}
	return all
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

func TestReadmeSaysTheCodesOfRequests(t *testing.T) {
	rows := table(t, "code", "Connect code")
	var told []string
	for _, row := range rows {
		c := problem.Code(names(row[0])[0])
		told = append(told, string(c))
		if !problem.Known(c) {
			t.Errorf("%s is no code", c)
			continue
		}
		if want := problem.ToConnect(problem.New(c)).Code().String(); names(row[1])[0] != want {
			t.Errorf("Connect code of %s is %s, not %s", c, want, row[1])
		}
		if row[2] != "no" && row[2] != "maybe" {
			t.Errorf("%s: stored is %q", c, row[2])
		}
	}
	if declared := declaredCodes(t, "problem/problem.go"); !slices.Equal(sorted(told), declared) {
		t.Errorf("README.md has the codes %q, package problem %q", told, declared)
	}
}

func TestReadmeSaysTheCodesOfHeldChanges(t *testing.T) {
	var told []string
	for _, row := range table(t, "code", "meaning", "mended by") {
		told = append(told, names(row[0])...)
		for who := range strings.SplitSeq(row[2], ", ") {
			if !slices.Contains([]string{"program", "worker", "others"}, who) {
				t.Errorf("%s is mended by %q", row[0], who)
			}
		}
	}
	if declared := declaredCodes(t, "record/codes.go"); !slices.Equal(sorted(told), declared) {
		t.Errorf("README.md has the codes %q, package record %q", told, declared)
	}
}

// declaredCodes are the values of the constants of type Code in a file, sorted.
func declaredCodes(t *testing.T, path string) []string {
	t.Helper()
	var codes []string
	for _, spec := range constantsOf(parse(t, path)) {
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Code" {
			for _, v := range spec.Values {
				codes = append(codes, constant.StringVal(evaluate(t, filepath.Dir(path), v)))
			}
		}
	}
	return sorted(codes)
}

var (
	linked = regexp.MustCompile("^(?:(\\d+) × )?\\[`(\\w+)\\.(\\w+)`\\]\\(([^)]+)\\)$")
	amount = regexp.MustCompile(`^([\d,]+)(?: (KiB|MiB|s|min|days))?$`)
	units  = map[string]int64{"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "s": int64(time.Second), "min": int64(time.Minute), "days": int64(24 * time.Hour)}
)

// The limits stand in many packages, some of them on one side only: they are read from the source.
func TestReadmeSaysTheLimits(t *testing.T) {
	for _, row := range append(table(t, "what", "limit", "constant"), table(t, "what", "value", "constant")...) {
		is, at := amount.FindStringSubmatch(row[1]), linked.FindStringSubmatch(row[2])
		if is == nil || at == nil {
			t.Errorf("%s: %q and %q are not an amount and a constant", row[0], row[1], row[2])
			continue
		}
		times, name, path := int64(1), at[3], at[4]
		if at[1] != "" {
			times, _ = strconv.ParseInt(at[1], 10, 64)
		}
		file := parse(t, path)
		if file.Name.Name != at[2] {
			t.Errorf("%s: %s is package %s", row[0], path, file.Name.Name)
		}
		value, ok := constantNamed(file, name)
		if !ok {
			t.Errorf("%s: there is no constant %s in %s", row[0], name, path)
			continue
		}
		n, _ := constant.Int64Val(constant.ToInt(evaluate(t, filepath.Dir(path), value)))
		if want := number(t, is[1]) * units[is[2]]; times*n != want {
			t.Errorf("%s: README.md says %s, %s is %d", row[0], row[1], name, n)
		}
	}
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.NewReplacer(",", "", "−", "-").Replace(s), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func constantsOf(file *ast.File) []*ast.ValueSpec {
	var specs []*ast.ValueSpec
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
			for _, s := range g.Specs {
				specs = append(specs, s.(*ast.ValueSpec))
			}
		}
	}
	return specs
}

func constantNamed(file *ast.File, name string) (ast.Expr, bool) {
	for _, s := range constantsOf(file) {
		if i := slices.IndexFunc(s.Names, func(id *ast.Ident) bool { return id.Name == name }); i >= 0 && i < len(s.Values) {
			return s.Values[i], true
		}
	}
	return nil, false
}

// evaluate is the value of a constant's expression: literals, durations, other constants of the package in dir, and
// arithmetic.
func evaluate(t *testing.T, dir string, e ast.Expr) constant.Value {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0)
	case *ast.ParenExpr:
		return evaluate(t, dir, e.X)
	case *ast.BinaryExpr:
		x, y := evaluate(t, dir, e.X), evaluate(t, dir, e.Y)
		if e.Op == token.SHL {
			n, _ := constant.Uint64Val(y)
			return constant.Shift(x, e.Op, uint(n))
		}
		return constant.BinaryOp(x, e.Op, y)
	case *ast.SelectorExpr:
		unit := map[string]time.Duration{"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}[e.Sel.Name]
		if x, ok := e.X.(*ast.Ident); ok && x.Name == "time" && unit != 0 {
			return constant.MakeInt64(int64(unit))
		}
	case *ast.Ident:
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if value, ok := constantNamed(parse(t, path), e.Name); ok && !strings.HasSuffix(path, "_test.go") {
				return evaluate(t, dir, value)
			}
		}
	}
	t.Fatalf("%s: a constant is written in a way that this test can't read: %T", dir, e)
	return nil
}

func TestReadmeSaysTheKinds(t *testing.T) {
	rows := table(t, "kind", "message")
	if len(rows) != len(record.Kinds()) {
		t.Errorf("README.md has %d kinds, the code %d", len(rows), len(record.Kinds()))
	}
	for _, row := range rows {
		k := record.Kind(number(t, row[0]))
		if !record.Known(k) {
			t.Errorf("kind %d is not known", k)
			continue
		}
		m := record.New(k)
		d := m.ProtoReflect().Descriptor()
		link := fmt.Sprintf("[%s](%s)", d.Name(), d.ParentFile().Path())
		if row[1] != link {
			t.Errorf("kind %d is %s, not %s", k, link, row[1])
		}
		if (row[3] == "▲") != record.Confidential(k) || (row[3] == "as its target") != (k == recordv1.Kind_KIND_CONFLICT) {
			t.Errorf("%s: confidential: %q", d.Name(), row[3])
		}
		owner := ""
		if f := d.Fields().ByNumber(record.OwnerField(k)); f != nil {
			owner = "`" + string(f.Name()) + "`"
		}
		if row[4] != owner || !slices.Equal(ownersIn(row[5]), ownersOf(k)) {
			t.Errorf("%s: owner %s of %q, not %s of %s", d.Name(), owner, ownersOf(k), row[4], row[5])
		}
		nature, required := natureOf(t, k), requiredOf(k)
		if row[2] != nature || !slices.Equal(sorted(names(row[6])), required) {
			t.Errorf("%s: nature %s with required fields %q, not %s with %s", d.Name(), nature, required, row[2], row[6])
		}
	}
}

func messageName(k record.Kind) string {
	return string(record.New(k).ProtoReflect().Descriptor().Name())
}

func ownersOf(k record.Kind) []string {
	var owners []string
	for _, owner := range record.Kinds() {
		if record.MayOwn(owner, k) {
			owners = append(owners, messageName(owner))
		}
	}
	return sorted(owners)
}

func ownersIn(cell string) []string {
	var owners []string
	switch cell {
	case "":
	case "all", "all but set-up":
		for _, k := range record.Kinds() {
			if cell == "all" || !record.SetUp(k) {
				owners = append(owners, messageName(k))
			}
		}
	default:
		owners = strings.Split(cell, ", ")
	}
	return sorted(owners)
}

// requiredOf are a kind's own required fields.
func requiredOf(k record.Kind) []string {
	var own []string
	d := record.New(k).ProtoReflect().Descriptor()
	for _, f := range record.Missing(k, record.New(k)) {
		if f >= 16 {
			own = append(own, string(d.Fields().ByNumber(f).Name()))
		}
	}
	return sorted(own)
}

// natureOf finds out what a kind is by its required common fields and by whether it may lie in the future.
func natureOf(t *testing.T, k record.Kind) string {
	t.Helper()
	var common []protowire.Number
	for _, f := range record.Missing(k, record.New(k)) {
		if f < 16 {
			common = append(common, f)
		}
	}
	ahead := validate(k, numberField(occurredOnField, 20211101), henan(duringHenan))
	switch {
	case record.SetUp(k) && len(common) == 0:
		return "set-up"
	case slices.Equal(common, []protowire.Number{3, 4}):
		return "about"
	case slices.Equal(common, []protowire.Number{3, 4, 7}) && len(ahead) == 0:
		return "planned work"
	case slices.Equal(common, []protowire.Number{3, 4, 7}):
		return "work"
	}
	return fmt.Sprintf("with required common fields %v", common)
}

// henan is the deployment in which fields are tried, and two of its days: one while it goes on, one after.
func henan(now time.Time) record.Deployment {
	return record.Deployment{
		Start: 20210923, End: 20211206, Location: time.FixedZone("CST", 8*3600), Places: []string{"410621108"},
		ServiceAreas: []recordv1.ServiceArea{16}, AgeBands: 6, Now: now,
	}
}

var (
	duringHenan = time.Date(2021, 10, 10, 4, 0, 0, 0, time.UTC)
	afterHenan  = time.Date(2022, 1, 10, 4, 0, 0, 0, time.UTC)
)

const (
	occurredOnField protowire.Number = 4
	statusField     protowire.Number = 6
	stageField      protowire.Number = 18 // of CaseSession
)

func varint(n int64) []byte { return protowire.AppendVarint(nil, uint64(n)) }

func numberField(field protowire.Number, n int64) []byte {
	return append(protowire.AppendTag(nil, field, protowire.VarintType), varint(n)...)
}

// validate is what is wrong with a change that sets some fields.
func validate(k record.Kind, fields []byte, d record.Deployment) []string {
	var codes []string
	for _, p := range record.Validate(k, fields, d) {
		codes = append(codes, string(p.Code))
	}
	return codes
}

// probed is a field of a message, and how to set it alone in a change of a kind.
type probed struct {
	kind  record.Kind
	path  []protoreflect.FieldDescriptor // the field, after the message field that it is in, if any
	field protoreflect.FieldDescriptor
}

// change is the fields of a change that sets f to one value, given without tag and length.
func (f probed) change(value []byte) []byte {
	for i := len(f.path) - 1; i >= 0; i-- {
		d := f.path[i]
		typ := protowire.VarintType
		switch {
		case d.IsList() && d.IsPacked(), d.Kind() == protoreflect.StringKind, d.Kind() == protoreflect.BytesKind, d.Kind() == protoreflect.MessageKind:
			typ, value = protowire.BytesType, protowire.AppendBytes(nil, value)
		case d.Kind() == protoreflect.Fixed64Kind:
			typ = protowire.Fixed64Type
		}
		value = append(protowire.AppendTag(nil, d.Number(), typ), value...)
	}
	return value
}

// encode is a number as the field has it.
func (f probed) encode(n int64) []byte {
	switch f.field.Kind() {
	case protoreflect.Fixed64Kind:
		return protowire.AppendFixed64(nil, uint64(n))
	case protoreflect.Sint32Kind:
		return protowire.AppendVarint(nil, protowire.EncodeZigZag(n))
	default:
		return varint(n)
	}
}

// probedFields are all fields of all kinds, those within message fields too.
func probedFields() []probed {
	var all []probed
	var add func(k record.Kind, d protoreflect.MessageDescriptor, path []protoreflect.FieldDescriptor)
	add = func(k record.Kind, d protoreflect.MessageDescriptor, path []protoreflect.FieldDescriptor) {
		for i := range d.Fields().Len() {
			f := d.Fields().Get(i)
			to := append(slices.Clone(path), f)
			if f.Message() != nil {
				add(k, f.Message(), to)
				continue
			}
			all = append(all, probed{k, to, f})
		}
	}
	for _, k := range record.Kinds() {
		add(k, record.New(k).ProtoReflect().Descriptor(), nil)
	}
	return all
}

// Every field is tried with values that its rule in the README allows, and with values just beyond.
func TestReadmeSaysTheRulesOfFields(t *testing.T) {
	rules := map[string][]string{}
	for _, row := range table(t, "rule", "fields", "otherwise") {
		for _, name := range names(row[1]) {
			if rules[name] != nil {
				t.Errorf("two rules for %s", name)
			}
			rules[name] = row
		}
	}
	used := map[string]bool{}
	for _, f := range probedFields() {
		name := string(f.field.Name())
		if qualified := string(f.field.Parent().Name()) + "." + name; rules[qualified] != nil {
			name = qualified
		}
		used[name] = true
		switch row := rules[name]; {
		case row != nil:
			tryRule(t, f, row)
		case f.field.Kind() == protoreflect.EnumKind:
			f.allows(t, "", 0, 1000, math.MaxInt32)
			f.allows(t, "number_out_of_range", -1)
		case f.field.Kind() != protoreflect.BoolKind:
			t.Errorf("%s of %v has no rule", name, f.kind)
		}
	}
	for name := range rules {
		if !used[name] {
			t.Errorf("there is a rule for %s, which is no field", name)
		}
	}
}

// allows tries numbers, which must all meet one code, "" for none.
func (f probed) allows(t *testing.T, code string, numbers ...int64) {
	t.Helper()
	for _, n := range numbers {
		f.allowsBytes(t, code, f.encode(n), duringHenan)
	}
}

func (f probed) allowsBytes(t *testing.T, code string, value []byte, now time.Time) {
	t.Helper()
	var want []string
	if code != "" {
		want = []string{code}
	}
	if got := validate(f.kind, f.change(value), henan(now)); !slices.Equal(got, want) {
		t.Errorf("%v, field %s, value %.40x: the code finds %q, README.md says %q", f.kind, f.field.FullName(), value, got, want)
	}
}

var (
	textRule  = regexp.MustCompile(`^text of at most ([\d,]+) bytes$`)
	rangeRule = regexp.MustCompile(`^(−?[\d,]+) to ([\d,]+)$`)
)

func tryRule(t *testing.T, f probed, row []string) {
	t.Helper()
	codes := append(names(row[2]), "")
	repeat := func(n int64) []byte { return []byte(strings.Repeat("a", int(n))) }
	switch rule := row[0]; {
	case strings.HasPrefix(rule, "id: "), strings.HasPrefix(rule, "token: "):
		f.allowsBytes(t, "", repeat(16), duringHenan)
		f.allowsBytes(t, codes[0], repeat(15), duringHenan)
		f.allowsBytes(t, codes[0], make([]byte, 16), duringHenan)
	case strings.HasPrefix(rule, "key: "):
		f.allowsBytes(t, "", repeat(32), duringHenan)
		f.allowsBytes(t, codes[0], repeat(31), duringHenan)
		f.allowsBytes(t, codes[0], make([]byte, 32), duringHenan)
	case textRule.MatchString(rule):
		most := number(t, textRule.FindStringSubmatch(rule)[1])
		f.allowsBytes(t, "", nil, duringHenan)
		f.allowsBytes(t, "", repeat(most), duringHenan)
		f.allowsBytes(t, codes[0], repeat(most+1), duringHenan)
		f.allowsBytes(t, codes[1], []byte("a\x07"), duringHenan)
	case rangeRule.MatchString(rule):
		bounds := rangeRule.FindStringSubmatch(rule)
		low, high := number(t, bounds[1]), number(t, bounds[2])
		f.allows(t, "", low, high)
		if low != 0 || f.field.Kind() != protoreflect.Uint32Kind {
			f.allows(t, codes[0], low-1)
		}
		if high < math.MaxInt64 {
			f.allows(t, codes[0], high+1)
		}
	case rule == "0 to the number of the deployment's bands":
		f.allows(t, "", 0, 6)
		f.allows(t, codes[0], 7)
	case rule == "0 to 4, or one from 16 that the deployment names":
		f.allows(t, "", 0, 4, 16)
		f.allows(t, codes[0], 5, 15, 17)
	case rule == "0 to 4, or one from 16":
		f.allows(t, "", 0, 4, 16, 17)
		f.allows(t, codes[0], 5, 15)
	case strings.HasPrefix(rule, "place code: "):
		tryPlace(t, f, codes)
	case rule == "IANA time zone":
		f.allowsBytes(t, "", []byte("UTC"), duringHenan)
		f.allowsBytes(t, codes[0], []byte("Nowhere/Else"), duringHenan)
	case strings.HasPrefix(rule, "instant: "):
		d := henan(duringHenan)
		start := d.Start.Start(d.Location).Add(-24 * time.Hour).UnixMilli()
		end := duringHenan.Add(24 * time.Hour).UnixMilli()
		f.allows(t, "", start, end)
		f.allows(t, codes[0], start-1, end+1)
	case strings.HasPrefix(rule, "bytes of at most 64 KiB"):
		f.allowsBytes(t, "", repeat(64<<10), duringHenan)
		f.allowsBytes(t, codes[0], repeat(64<<10+1), duringHenan)
	case strings.HasPrefix(rule, "bytes of at most 48 KiB"):
		f.allowsBytes(t, "", repeat(48<<10), duringHenan)
		f.allowsBytes(t, codes[0], repeat(48<<10+1), duringHenan)
	case strings.HasPrefix(rule, "day"):
		tryDay(t, f, rule)
	default:
		t.Errorf("this test does not know the rule %q", rule)
	}
}

func tryPlace(t *testing.T, f probed, codes []string) {
	t.Helper()
	for _, c := range []string{"41", "4106", "410621", "410621108", "410621108203"} {
		f.allowsBytes(t, "", []byte(c), duringHenan)
	}
	for _, c := range []string{"", "410", "41062110", "4106211082030", "41062x"} {
		f.allowsBytes(t, codes[0], []byte(c), duringHenan)
	}
	elsewhere := codes[1]
	if record.SetUp(f.kind) {
		elsewhere = ""
	}
	f.allowsBytes(t, elsewhere, []byte("410781"), duringHenan)
}

const (
	noSuchDay  = "invalid_date"
	outside    = "date_outside_deployment"
	inFuture   = "date_in_future"
	outOfRange = "date_out_of_range"
)

// dayTries are days, as seen from the 10th of October (or, after a "+", from the 10th of January), and what is found.
var dayTries = map[string]map[string]string{
	"day from 2000-01-01 to 2100-12-31": {"20000101": "", "21001231": "", "19991231": outOfRange, "21010101": outOfRange},
	"day from the start to the end, and not after tomorrow": {"20210922": outside, "20210923": "", "20211011": "", "20211012": inFuture,
		"+20211206": "", "+20211207": outside},
	"day from the start to tomorrow":                  {"20210922": outside, "20210923": "", "20211011": "", "20211012": inFuture, "+20220111": ""},
	"day from the start to 1,098 days after tomorrow": {"20210922": outside, "20210923": "", "20241013": "", "20241014": outOfRange, "+20220111": ""},
	"day from 1900-01-01 to tomorrow":                 {"18991231": outOfRange, "19000101": "", "20211011": "", "20211012": inFuture},
	"set-up":                                          {"20000101": "", "21001231": "", "19991231": outOfRange, "21010101": outOfRange},
	"about":                                           {"20210922": outside, "20210923": "", "20211011": "", "20211012": inFuture, "+20220111": ""},
	"work":                                            {"20210922": outside, "20210923": "", "20211011": "", "20211012": inFuture, "+20211206": "", "+20211207": outside},
	"planned work":                                    {"20210922": outside, "20210923": "", "20211206": "", "20211207": outside, "+20211207": outside},
}

func tryDay(t *testing.T, f probed, rule string) {
	t.Helper()
	if rule == "day, by the kind's nature" {
		rule = natureOf(t, f.kind)
	}
	tries := dayTries[rule]
	if tries == nil {
		t.Errorf("this test does not know the rule %q", rule)
	}
	f.allows(t, noSuchDay, 0, 20210931, 1)
	for at, code := range tries {
		now := duringHenan
		if strings.HasPrefix(at, "+") {
			now = afterHenan
		}
		f.allowsBytes(t, code, f.encode(number(t, strings.TrimPrefix(at, "+"))), now)
	}
}

// What the table of natures says beyond single days.
func TestReadmeSaysWhenWorkMayLie(t *testing.T) {
	for _, row := range table(t, "nature", "days") {
		if _, ok := dayTries[row[0]]; !ok {
			t.Errorf("this test does not know the nature %q", row[0])
		}
	}
	session, activity := recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY
	held := numberField(statusField, int64(recordv1.Status_STATUS_HELD))
	closure := numberField(stageField, int64(recordv1.CaseStage_CASE_STAGE_CLOSURE))
	for _, try := range []struct {
		what string
		open bool // the deployment has no end yet
		kind record.Kind
		day  int64
		with []byte
		want []string
	}{
		{"planned ahead while the end is open", true, activity, 20221012, nil, nil},
		{"planned too far ahead", true, activity, 20221013, nil, []string{outOfRange}},
		{"held tomorrow", false, activity, 20211011, held, nil},
		{"held in the future", false, activity, 20211012, held, []string{inFuture}},
		{"a follow-up visit after the end", false, session, 20211210, closure, nil},
		{"a session after the end", false, session, 20211210, nil, []string{outside}},
	} {
		d := henan(duringHenan)
		if try.open {
			d.End = 0
		}
		if got := validate(try.kind, slices.Concat(numberField(occurredOnField, try.day), try.with), d); !slices.Equal(got, try.want) {
			t.Errorf("%s: %q, not %q", try.what, got, try.want)
		}
	}
}

func TestReadmeSaysWhatIsCounted(t *testing.T) {
	var figures, told []string
	for _, f := range tally.Figures() {
		figures = append(figures, f.String())
	}
	for _, row := range table(t, "figure", "rule") {
		told = append(told, names(row[0])...)
	}
	if !slices.Equal(told, figures) {
		t.Errorf("README.md has the figures %q, package tally %q", told, figures)
	}
	fields := map[string][]string{}
	for _, row := range table(t, "kind", "counted fields") {
		fields[row[0]] = sorted(names(row[1]))
	}
	for _, k := range record.Kinds() {
		d := record.New(k).ProtoReflect().Descriptor()
		var counted []string
		for _, number := range tally.CountedFields(k) {
			counted = append(counted, string(d.Fields().ByNumber(number).Name()))
		}
		if !slices.Equal(fields[messageName(k)], sorted(counted)) {
			t.Errorf("counted fields of %s are %q, not %q", messageName(k), counted, fields[messageName(k)])
		}
	}
}

func TestReadmeSaysTheFieldsOfRequestsAndChanges(t *testing.T) {
	change := (&syncv1.Change{}).ProtoReflect().Descriptor().Fields()
	rows := table(t, "no.", "field", "content")
	if len(rows) != change.Len() {
		t.Errorf("README.md has %d fields of a Change, the proto %d", len(rows), change.Len())
	}
	for _, row := range rows {
		if f := change.ByName(protoreflect.Name(names(row[1])[0])); f == nil || int64(f.Number()) != number(t, row[0]) {
			t.Errorf("field %s of a Change is not %s", row[0], row[1])
		}
	}
	// Each field of a request and of its parts is in the table of requests, or among what is not served.
	var told []string
	for _, row := range append(table(t, "request field", "content"), table(t, "what", "what happens now")...) {
		for _, cell := range row {
			told = append(told, names(cell)...)
		}
	}
	request := (&syncv1.SyncRequest{}).ProtoReflect().Descriptor().Fields()
	pull := (&syncv1.Pull{}).ProtoReflect().Descriptor().Fields()
	for _, fields := range []protoreflect.FieldDescriptors{request, pull} {
		for i := range fields.Len() {
			name := string(fields.Get(i).Name())
			if !slices.Contains(told, name) && !slices.ContainsFunc(told, func(s string) bool { return s == "pull."+name || strings.HasPrefix(s, name+".") }) {
				t.Errorf("README.md does not say what %s of a request is", name)
			}
		}
	}
}

// Rows of the form "| `path` … | `value` |", and tables whose header is a path and whose first column, joined, is the value.
func TestReadmeShowsTheVectors(t *testing.T) {
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	for _, row := range table(t, "vector", "value") {
		if want, got := valueAt(t, v, names(row[0])[0]), names(row[1])[0]; got != want {
			t.Errorf("%s is %s, not %s", row[0], want, got)
		}
	}
	for _, path := range []string{"changes.2.encoded", "states.0.encoded"} {
		var joined strings.Builder
		for _, row := range table(t, "`"+path+"`") {
			joined.WriteString(strings.Join(names(row[0]), ""))
		}
		if want := valueAt(t, v, path); joined.String() != want {
			t.Errorf("the pieces of %s are %s, not %s", path, joined.String(), want)
		}
	}
	for _, row := range table(t, "sent (CaseSession)", "canonical") {
		canonical := ""
		for _, c := range readVectors(t).Canonical {
			sent, _ := c.Sent.MarshalText()
			if c.Kind == recordv1.Kind_KIND_CASE_SESSION && string(sent) == names(row[0])[0] {
				text, _ := c.Canonical.MarshalText()
				canonical = string(text)
			}
		}
		if names(row[1])[0] != canonical {
			t.Errorf("%s: canonical is %q, not %s", row[0], canonical, row[1])
		}
	}
}

// valueAt is the value at a path such as "changes.2.hash".
func valueAt(t *testing.T, v any, path string) string {
	t.Helper()
	for part := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(at) {
				t.Fatalf("there is no vector %s", path)
			}
			v = at[i]
		}
	}
	s, ok := v.(string)
	if !ok {
		t.Fatalf("there is no vector %s", path)
	}
	return s
}

var link = regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)

func TestReadmeLinksLeadSomewhere(t *testing.T) {
	text := readmeText(t)
	anchors := map[string]bool{}
	for line := range strings.Lines(text) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(strings.TrimSpace(line), "#"), " "); ok && strings.HasPrefix(line, "##") {
			keep := func(r rune) rune {
				if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-", r) {
					return r
				}
				return -1
			}
			anchors["#"+strings.Map(keep, strings.ReplaceAll(strings.ToLower(heading), " ", "-"))] = true
		}
	}
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if m[1] != "" {
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s: %v", m[0], err)
			}
		} else if !anchors[m[2]] {
			t.Errorf("%s: there is no such heading", m[0])
		}
	}
}
