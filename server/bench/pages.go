package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// PagesOptions say what is measured.
type PagesOptions struct {
	// Records are how many there are to be in the deployment; each is measured on a server of its own.
	Records []int
	// Times is how often each page is asked for.
	Times int
	Seed  uint64
	// Progress is told how far it is; nil for nobody.
	Progress io.Writer
}

// Pages is how long a server with so many records works on each page, as the coordinator asks for it, who sees all teams.
type Pages struct {
	Records int `json:"records"`
	// Filled is how long it took to log them, and Sorted until they were ready for the pages after that, in seconds.
	Filled float64 `json:"filled_s"`
	Sorted float64 `json:"sorted_in_s"`
	Pages  []Page  `json:"pages"`
}

// Page is how long the server works on one page, in milliseconds: of all times that it was asked for, the median, the
// 95th percentile and the longest; and how many bytes it has.
type Page struct {
	Name   string  `json:"name"`
	Median float64 `json:"median_ms"`
	P95    float64 `json:"p95_ms"`
	Max    float64 `json:"max_ms"`
	Bytes  int     `json:"bytes"`
	// Bound is what the page may take.
	Bound float64 `json:"bound_ms,omitempty"`
}

// measured are the pages, and what the JSON API is asked for, by what they are called here.
var measured = []struct {
	name, path string
	// words are searched for, where the page searches.
	words string
	bound float64
}{
	{"overview", "", "", 50},
	{"review queue", "/review", "", 100},
	{"search, a rare word", "/search", "B-7-3", 100},
	{"search, a frequent word", "/search", "物资", 100},
	{"search, two frequent words", "/search", "物资 讲座", 100},
	{"search, nothing found", "/search", "没有这样的词", 100},
	{"teams", "/teams", "", 0},
	{"cases", "/cases", "", 0},
	{"duplicates", "/duplicates", "", 0},
	{"alerts", "/alerts", "", 0},
	{"records behind contacts", "/figures/contacts/records", "", 0},
	{"report of a day", "/reports?period=day&date=2021-12-05", "", 300},
	{"report of a week", "/reports?period=week&date=2021-12-05", "", 1000},
	{"report of a month", "/reports?period=month&date=2021-11-30", "", 1000},
	{"report of all days", "/reports?period=whole", "", 1000},
	{"report of all days up to the last but one", "/reports?period=whole&date=2021-12-05", "", 1000},
	{"API: totals", "/api/totals", "", 50},
	{"API: report of a month", "/api/report?period=month&date=2021-11-30", "", 1000},
	{"API: totals by site", "/api/totals?by=site", "", 50},
	{"API: totals by place", "/api/totals?by=place&level=town", "", 50},
	{"API: totals by worker", "/api/totals?by=worker", "", 50},
	{"API: review queue", "/api/review", "", 100},
}

// MeasurePages fills a server for each number of records and measures its pages.
func MeasurePages(ctx context.Context, o PagesOptions) (all []Pages, err error) {
	for _, records := range o.Records {
		one, err := measurePages(ctx, o, records)
		if err != nil {
			return all, err
		}
		all = append(all, *one)
	}
	return all, nil
}

func measurePages(ctx context.Context, o PagesOptions, records int) (_ *Pages, err error) {
	s, err := start(ctx, records, o.Seed)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closing := s.close(); err == nil {
			err = closing
		}
	}()
	result := &Pages{Records: records}
	began := time.Now()
	if err := s.fill(ctx, records, o.Progress); err != nil {
		return nil, err
	}
	result.Filled = time.Since(began).Seconds()
	say(o.Progress, "%d records are logged; they are being sorted in for the pages", records)
	began = time.Now()
	if err := s.server.SortedIn(ctx); err != nil {
		return nil, err
	}
	result.Sorted = time.Since(began).Seconds()
	visitor, err := s.signIn(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range measured {
		page, err := measure(ctx, visitor, m.path, m.words, o.Times)
		if err != nil {
			return nil, fmt.Errorf("the page %s: %w", m.name, err)
		}
		page.Name, page.Bound = m.name, m.bound
		result.Pages = append(result.Pages, page)
	}
	return result, nil
}

// measure asks for a page again and again. The first time, which reads from the disk what the others find in memory, is
// among the longest.
func measure(ctx context.Context, v *visitor, path, words string, times int) (page Page, err error) {
	took := make([]time.Duration, times)
	for i := range took {
		if took[i], page.Bytes, err = v.timed(ctx, v.in(path), words); err != nil {
			return page, err
		}
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	page.Median, page.P95, page.Max = ms(took[times/2]), ms(took[times*95/100]), ms(took[times-1])
	return page, nil
}
