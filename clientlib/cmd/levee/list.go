package main

import (
	"fmt"
	"slices"
	"strings"

	"levee/clientlib"
	"levee/clientlib/recordjson"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// listCmd lists records.
type listCmd struct {
	Kind    string `arg:"" optional:"" help:"${kind_argument}"`
	Day     string `placeholder:"${word_date}" help:"${day_flag}"`
	From    string `placeholder:"${word_date}" help:"${from_flag}"`
	To      string `placeholder:"${word_date}" help:"${to_flag}"`
	Mine    bool   `help:"${mine_flag}"`
	Deleted bool   `help:"${deleted_flag}"`
	Limit   int    `default:"50" placeholder:"${word_number}" help:"${limit_flag}"`
	After   string `placeholder:"${word_text}" help:"${after_flag}"`
}

// activities is what people write for community activities, group sessions and outreaches together.
const activities = "activities"

// Run lists cases of one's own, activities of a day, or a page of what is there.
func (c *listCmd) Run(s *session) error {
	from, to, err := c.days(s)
	if err != nil {
		return err
	}
	switch {
	case c.Mine:
		return c.mine(s)
	case c.Kind == activities && from != 0 && from == to:
		return c.activities(s, from)
	}
	q := clientlib.Query{From: from, To: to, Deleted: c.Deleted, Limit: c.Limit, After: c.After, Kinds: tabletKinds}
	switch {
	case c.Kind == activities:
		q.Kinds = []record.Kind{recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_OUTREACH}
	case c.Kind != "":
		k, ok := s.kindNamed(c.Kind)
		if !ok {
			return s.noSuchKind(c.Kind)
		}
		q.Kinds = []record.Kind{k}
	}
	page, err := s.store.List(s.ctx, q)
	if err != nil {
		return err
	}
	return s.answer(recordjson.PageOf(s.terms(), page), func() {
		s.listed(page.Records)
		if page.Next != "" {
			s.line(moreRecords, page.Next)
		}
	})
}

// days are the first and the last day asked for; 0 leaves an end open.
func (c *listCmd) days(s *session) (from, to record.Date, err error) {
	if c.Day != "" {
		from, err = s.day("day", c.Day)
		return from, from, err
	}
	if c.From != "" {
		if from, err = s.day("from", c.From); err != nil {
			return 0, 0, err
		}
	}
	if c.To != "" {
		to, err = s.day("to", c.To)
	}
	return from, to, err
}

// day reads the value of a flag that is a date.
func (s *session) day(flag, text string) (record.Date, error) {
	d, err := record.ParseDate(text)
	if err != nil {
		return 0, &failure{code: "invalid_value", exit: 2, text: s.Say(badFlag, text, flag, s.Say(likeADate)), fields: []string{flag}}
	}
	return d, nil
}

func (c *listCmd) mine(s *session) error {
	if k, _ := s.kindNamed(c.Kind); c.Kind != "" && k != recordv1.Kind_KIND_CASE {
		return &failure{code: "usage", exit: 2, text: s.Say(onlyCasesAreMine)}
	}
	cases, err := s.store.MyCases(s.ctx)
	if err != nil {
		return err
	}
	mine := make([]clientlib.AnyRecord, len(cases))
	for i, r := range cases {
		mine[i] = recordjson.Any(r)
	}
	return s.answer(recordjson.PageOf(s.terms(), clientlib.Page{Records: mine}), func() { s.listed(mine) })
}

// activities shows each activity of a day with its counts and attendances.
func (c *listCmd) activities(s *session, day record.Date) error {
	found, err := s.store.Activities(s.ctx, day)
	if err != nil {
		return err
	}
	out := recordjson.Page{Records: []recordjson.Record{}}
	for _, a := range found {
		one := s.recordJSON(a.AnyRecord)
		for _, h := range a.Headcounts {
			one.Belongings = append(one.Belongings, s.recordJSON(recordjson.Any(h)))
		}
		for _, at := range a.Attendances {
			one.Belongings = append(one.Belongings, s.recordJSON(recordjson.Any(at)))
		}
		out.Records = append(out.Records, one)
	}
	return s.answer(out, func() {
		if len(found) == 0 {
			s.line(nothingThere)
		}
		for _, a := range found {
			s.table([]clientlib.AnyRecord{a.AnyRecord})
			for _, h := range a.Headcounts {
				fmt.Fprintln(&s.out, "    "+s.Say(countIs, s.named(h.Message.GetCounter()), s.heads(h.Message)))
			}
			if n := len(a.Attendances); n > 0 {
				fmt.Fprintln(&s.out, "    "+s.Count(attended, int64(n)))
			}
		}
	})
}

// heads are the numbers of a headcount: its cells, or the totals where it has none.
func (s *session) heads(m *recordv1.Headcount) string {
	var parts []string
	fields := m.ProtoReflect().Descriptor().Fields()
	for _, f := range words.Fields(m.ProtoReflect().Descriptor()) {
		total := f.Name() == "first_time" || f.Name() == "returning" || f.Name() == "unsure"
		if total && m.ProtoReflect().Has(f) && len(m.GetCells()) == 0 {
			parts = append(parts, s.Labelled(s.Field(f), s.shownText(f, m.ProtoReflect().Get(f))))
		}
	}
	if len(m.GetCells()) > 0 {
		cells := fields.ByName("cells")
		parts = append(parts, s.shownText(cells, m.ProtoReflect().Get(cells)))
	}
	return s.List(parts)
}

func (s *session) listed(records []clientlib.AnyRecord) {
	if len(records) == 0 {
		s.line(nothingThere)
		return
	}
	s.table(records)
}

func (s *session) noSuchKind(name string) error {
	var names []string
	for _, k := range append(slices.Clone(tabletKinds), setUpKinds...) {
		names = append(names, kindName(k))
	}
	return &failure{code: "usage", exit: 2, text: s.Say(noSuchKind, name, strings.Join(append(names, activities), ", "))}
}
