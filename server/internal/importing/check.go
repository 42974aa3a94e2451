package importing

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/server/internal/casefile"
	"levee/server/internal/export"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// checking is the making of a plan.
type checking struct {
	deployment hlc.ID
	by         casefile.Reader
	setUp      *syncing.SetUp
	rules      record.Deployment
	writing    *export.Writing
	plan       *Plan

	rows []*row
	byID map[hlc.ID]*row
	// marks are the rows that are called by something that is no id, which holds within the file; nil for several of a kind.
	marks map[record.Kind]map[string]*row
	// alike counts rows that say the same.
	alike map[[sha256.Size]byte]uint64
	// there are the records of the deployment with ids that are in the file.
	there map[hlc.ID]standing
}

func newChecking(s *Service, by casefile.Reader, setUp *syncing.SetUp) *checking {
	c := &checking{deployment: s.Syncing.Deployment(), by: by, setUp: setUp, rules: setUp.Rules, plan: &Plan{}, byID: map[hlc.ID]*row{},
		marks: map[record.Kind]map[string]*row{}, alike: map[[sha256.Size]byte]uint64{}, there: map[hlc.ID]standing{}}
	c.rules.Now = s.Wall()
	return c
}

// check makes the plan.
func (c *checking) check(tx Reading, in *reading) error {
	c.plan.LeftOut = in.leftOut
	for _, s := range in.sheets {
		c.sheet(s)
	}
	if err := c.lookUp(tx); err != nil {
		return err
	}
	hash := sha256.New()
	for _, r := range c.rows {
		t := c.table(r.kind)
		if was, ok := c.there[r.ID]; ok {
			switch {
			case was.Kind != r.kind:
				c.wrong(r, 0, saying(otherKind))
			case !c.sees(was.Audience):
				c.wrong(r, 0, saying(notYourTeam))
			case r.bad:
			case r.says(was.message):
				t.Same++
			default:
				t.Differing++
			}
			continue
		}
		fields := c.judge(r)
		if r.bad {
			continue
		}
		t.Made++
		c.plan.made = append(c.plan.made, syncing.Deed{ID: r.ID, Message: r.Message})
		_, _ = hash.Write(r.ID[:]) // a hash takes everything
		sum := sha256.Sum256(fields)
		_, _ = hash.Write(sum[:])
	}
	c.plan.Digest = hex.EncodeToString(hash.Sum(nil)[:16])
	order := func(f Fault) int {
		return slices.IndexFunc(in.sheets, func(s *sheet) bool { return s.name == f.Table })
	}
	slices.SortStableFunc(c.plan.Faults, func(a, b Fault) int { return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Row, b.Row)) })
	return nil
}

// table is what the plan says of a kind.
func (c *checking) table(k record.Kind) *Table {
	i := slices.IndexFunc(c.plan.Tables, func(t Table) bool { return t.Kind == k })
	if i < 0 {
		c.plan.Tables = append(c.plan.Tables, Table{Kind: k})
		i = len(c.plan.Tables) - 1
	}
	return &c.plan.Tables[i]
}

// fault notes that something is wrong.
func (c *checking) fault(f Fault) {
	if c.plan.Wrong++; len(c.plan.Faults) < maxFaults {
		c.plan.Faults = append(c.plan.Faults, f)
	}
}

// wrong notes that something is wrong with a row: at its column of a field, or as a whole when the file has no such column.
func (c *checking) wrong(r *row, field protowire.Number, text func(*words.Words) string) {
	r.bad, r.faulty = true, append(r.faulty, field)
	f := Fault{Table: r.name, Row: r.number, text: text}
	if i := slices.IndexFunc(r.of, func(c column) bool { return field != 0 && c.Field() == field }); i >= 0 {
		f.Column, f.Heading = r.of[i].letter(), r.of[i].heading
	} else if field != 0 {
		label := record.New(r.kind).ProtoReflect().Descriptor().Fields().ByNumber(field)
		f.text = func(w *words.Words) string { return w.Labelled(w.Field(label), text(w)) }
	}
	c.fault(f)
}
