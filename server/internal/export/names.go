package export

import (
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// namedKinds are the kinds whose records people know by their names.
var namedKinds = []record.Kind{recordv1.Kind_KIND_SITE, recordv1.Kind_KIND_TEAM, recordv1.Kind_KIND_WORKER}

// namedBy says of which of these kinds a field names a record, in whatever kind it stands.
var namedBy = map[protoreflect.Name]record.Kind{
	"site": recordv1.Kind_KIND_SITE,
	"team": recordv1.Kind_KIND_TEAM, "supervises": recordv1.Kind_KIND_TEAM,
	"author": recordv1.Kind_KIND_WORKER, "co_workers": recordv1.Kind_KIND_WORKER, "lead": recordv1.Kind_KIND_WORKER, "workers": recordv1.Kind_KIND_WORKER,
	"leader": recordv1.Kind_KIND_WORKER, "counter": recordv1.Kind_KIND_WORKER, "supervisor": recordv1.Kind_KIND_WORKER, "supervisees": recordv1.Kind_KIND_WORKER,
	"acknowledged_by": recordv1.Kind_KIND_WORKER, "duty_list": recordv1.Kind_KIND_WORKER,
}

// Names are what sites, teams and workers are called in cells, those that were deleted among them: by their names, where
// no other of their kind has the same; else by the name with the last four digits of the id ("王芳 #4c1e"); else by the id.
type Names struct {
	texts map[record.Kind]map[hlc.ID]string
	ids   map[record.Kind]map[string]hlc.ID
	// plain are the names themselves, and shared those that several have.
	plain  map[hlc.ID]string
	shared map[record.Kind]map[string]bool
}

func newNames() *Names {
	return &Names{texts: map[record.Kind]map[hlc.ID]string{}, ids: map[record.Kind]map[string]hlc.ID{}, plain: map[hlc.ID]string{}, shared: map[record.Kind]map[string]bool{}}
}

// NamesIn reads the names in one snapshot.
func NamesIn(tx interface {
	OfKind(kind recordv1.Kind) ([]syncing.Record, error)
}) (*Names, error) {
	n := newNames()
	for _, kind := range namedKinds {
		records, err := tx.OfKind(kind)
		if err != nil {
			return nil, err
		}
		names := make(map[hlc.ID]string, len(records))
		for _, r := range records {
			m, err := read(r)
			if err != nil {
				return nil, err
			}
			names[r.ID] = strings.TrimSpace(lines(record.Name(kind, m)))
		}
		n.add(kind, names)
	}
	return n, nil
}

// add takes the names of all records of a kind.
func (n *Names) add(kind record.Kind, names map[hlc.ID]string) {
	have := map[string]int{}
	for id, name := range names {
		n.plain[id] = name
		have[name]++
	}
	told := map[hlc.ID]string{}
	for id, name := range names {
		if told[id] = name; have[name] > 1 {
			told[id] = name + " #" + strings.ReplaceAll(id.String(), "-", "")[28:]
		}
	}
	used := map[string]int{}
	for id, text := range told {
		if used[text]++; text != names[id] {
			used[text] += have[text] // the name of another one looks like it
		}
	}
	n.texts[kind], n.ids[kind], n.shared[kind] = map[hlc.ID]string{}, map[string]hlc.ID{}, map[string]bool{}
	for id, text := range told {
		if _, err := uuid.Parse(text); err == nil || used[text] > 1 || names[id] == "" {
			text = id.String()
		}
		n.texts[kind][id], n.ids[kind][text] = text, id
		n.shared[kind][names[id]] = have[names[id]] > 1
	}
}

// text is what a record is called that should be of a kind; its id where it is none that is known.
func (n *Names) text(kind record.Kind, id []byte) string {
	if len(id) != len(hlc.ID{}) {
		return "" // which no record that was checked holds
	}
	if text, ok := n.texts[kind][hlc.ID(id)]; ok {
		return text
	}
	return hlc.ID(id).String()
}

// find is the record of a kind that a text calls.
func (n *Names) find(kind record.Kind, text string) (hlc.ID, Code) {
	if id, ok := n.ids[kind][text]; ok {
		return id, ""
	}
	if id, ok := idFrom(text); ok {
		return id, ""
	}
	if n.shared[kind][text] {
		return hlc.ID{}, CodeAmbiguousName
	}
	return hlc.ID{}, CodeUnknownName
}

// idFrom reads an id as Levee writes them; other ways to write one are nobody's here.
func idFrom(text string) (hlc.ID, bool) {
	id, err := uuid.Parse(text)
	return id, err == nil && len(text) == len(hlc.ID{}.String())
}

// read is the message of a stored record, with the fields that this program knows.
func read(r syncing.Record) (record.Common, error) {
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return nil, &unreadable{r.ID, err}
	}
	m := record.New(r.Kind)
	if err := proto.Unmarshal(registers.Fields(), m); err != nil {
		return nil, &unreadable{r.ID, err}
	}
	record.Conceal(m)
	return m, nil
}

// unreadable is a record whose stored form is damaged. Nothing of what it says is told.
type unreadable struct {
	id    hlc.ID
	cause error
}

func (u *unreadable) Error() string { return "record " + u.id.String() + " can't be read" }

func (u *unreadable) Unwrap() error { return u.cause }

// lines writes the ends of lines in one way: files and spreadsheets do not keep the others.
func lines(text string) string { return lineEnds.Replace(text) }

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")
