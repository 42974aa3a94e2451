package export

import (
	"context"
	"io"
	"slices"
	"time"

	"levee/server/internal/progress"
	"levee/syncproto/problem"
)

// Format is a way in which an export is written into one file.
type Format struct {
	// Name is stable; Extension is how names of such files end, and Type is their media type.
	Name, Extension, Type string
	// Outside: it is meant for others. It has sums and no records, leaves out those of few people, and holds nothing confidential.
	Outside bool

	write func(*Content, io.Writer) error
}

// Formats are all there are, by name.
var Formats = []*Format{
	{Name: "csv", Extension: ".zip", Type: "application/zip", write: ZIP},
	{Name: "geojson", Extension: ".geojson", Type: "application/geo+json", Outside: true, write: GeoJSON},
	{Name: "hxl", Extension: ".csv", Type: "text/csv; charset=utf-8", Outside: true, write: HXL},
	{Name: "xlsx", Extension: ".xlsx", Type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write: XLSX},
}

// FormatNamed finds a format; nil when there is none of that name.
func FormatNamed(name string) *Format {
	if i := slices.IndexFunc(Formats, func(f *Format) bool { return f.Name == name }); i >= 0 {
		return Formats[i]
	}
	return nil
}

// Look is as the function Look is. What is confidential is refused as invalid_argument where a format holds none.
func (f *Format) Look(ctx context.Context, store Store, wall func() time.Time, q Query, fn func(*Content) error) error {
	if err := f.holds(&q); err != nil {
		return err
	}
	if f.Outside {
		q.Kinds = progress.RootKinds
	}
	return Look(ctx, store, wall, q, fn)
}

// holds is the problem with a query for what a format does not hold.
func (f *Format) holds(q *Query) error {
	if f.Outside && q.Confidential {
		return problem.Newf(problem.InvalidArgument, "confidential: nothing in %s is", f.Name)
	}
	return nil
}

// Write writes what was looked at.
func (f *Format) Write(c *Content, w io.Writer) error { return f.write(c, w) }
