package httpapi

import (
	"maps"
	"slices"
	"strings"
	"time"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

type textView struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

type namedView struct {
	ID   string `json:"id,omitempty" doc:"Absent when the record does not say."`
	Name string `json:"name,omitempty" doc:"Absent when it is not known by that id."`
}

func viewNamed(n progress.Named) namedView { return namedView{idText(n.ID), n.Name} }

// idText is an id as text; empty for the zero one.
func idText(id hlc.ID) string {
	if id == (hlc.ID{}) {
		return ""
	}
	return id.String()
}

// instant is a time in milliseconds since 1970; nil for never.
func instant(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

// kindText is the stable name of a kind, such as "case_session"; its number where only a newer program knows it.
func kindText(k record.Kind) string {
	return strings.ToLower(strings.TrimPrefix(k.String(), "KIND_"))
}

type deploymentsBody struct {
	Deployments []deploymentView `json:"deployments" nullable:"false"`
}

type deploymentView struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	StartOn  string      `json:"start_on" format:"date"`
	EndOn    string      `json:"end_on,omitempty" format:"date" doc:"Absent while it goes on."`
	TimeZone string      `json:"time_zone" doc:"IANA name." example:"Asia/Shanghai"`
	Sites    []siteView  `json:"sites" nullable:"false"`
	Teams    []namedView `json:"teams" nullable:"false"`
}

type siteView struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Code    string `json:"code" doc:"Code of its place, by the statistics bureau." example:"410621108"`
	Edition int32  `json:"edition" doc:"Year of the edition of the codes." example:"2023"`
}

func viewDeployment(id hlc.ID, s *syncing.SetUp) deploymentView {
	v := deploymentView{ID: id.String(), Name: s.Deployment.GetName(), StartOn: dateText(record.Date(s.Deployment.GetStartOn())),
		EndOn: dateText(record.Date(s.Deployment.GetEndOn())), TimeZone: s.Deployment.GetTimeZone(), Sites: []siteView{}, Teams: []namedView{}}
	for _, id := range sortedIDs(s.Sites) {
		place := s.Sites[id].GetPlace()
		v.Sites = append(v.Sites, siteView{id.String(), s.Sites[id].GetName(), place.GetCode(), place.GetEdition()})
	}
	for _, id := range sortedIDs(s.Teams) {
		v.Teams = append(v.Teams, namedView{id.String(), s.Teams[id].GetName()})
	}
	return v
}

func sortedIDs[V any](m map[hlc.ID]V) []hlc.ID {
	return slices.SortedFunc(maps.Keys(m), func(a, b hlc.ID) int { return slices.Compare(a[:], b[:]) })
}

func dateText(d record.Date) string {
	if !d.Valid() {
		return ""
	}
	return d.String()
}

type figuresBody struct {
	Figures []figureView `json:"figures" nullable:"false"`
}

type figureView struct {
	Name  string   `json:"name" doc:"Stable name." example:"group_sessions"`
	Label textView `json:"label" doc:"What the deployment calls it."`
	Rule  textView `json:"rule" doc:"How it is counted."`
}

func viewFigures(figures []progress.Figure) []figureView {
	views := make([]figureView, 0, len(figures))
	for _, f := range figures {
		views = append(views, figureView{f.Name, textView(f.Label), textView(f.Rule)})
	}
	return views
}

type totalsBody struct {
	AsOf         string           `json:"as_of" format:"date" doc:"The last day that counts: that asked for; or else today, the deployment's end if that is earlier, or a later day on which something counts."`
	Recounted    bool             `json:"recounted" doc:"Whether the totals were counted from the records for this answer, since something counts on a later day than that asked for; else they are those that each sync moves."`
	By           string           `json:"by"`
	ServiceDays  int              `json:"service_days" doc:"Calendar days from the deployment's start to the day asked for, or else to today or its end, both counted."`
	Figures      []figureView     `json:"figures" nullable:"false" doc:"What the rows hold, and service_days."`
	Rows         []rowView        `json:"rows" nullable:"false" doc:"By their keys. Sites, teams and workers that gave nothing are there too."`
	Truncated    bool             `json:"truncated" doc:"Whether there are more rows than an answer holds."`
	Completeness completenessView `json:"completeness"`
}

type rowView struct {
	Key      string           `json:"key" doc:"Id, date, code or answer that the row stands for; empty for the whole, and for what was not stated."`
	Label    textView         `json:"label"`
	Code     string           `json:"code,omitempty" doc:"Code of the place, of a site or place."`
	Reported map[string]int64 `json:"reported,omitempty" doc:"Figures by their names. Persons are distinct within the row, so that rows do not add up to the whole."`
	Verified map[string]int64 `json:"verified,omitempty" doc:"As reported, of what is verified."`
}

type completenessView struct {
	At            time.Time  `json:"at" doc:"When this was so, by the server's clock."`
	Position      uint64     `json:"position" doc:"How long the change log was."`
	Devices       int64      `json:"devices" doc:"Tablets that were let in, those that were revoked included."`
	Revoked       int64      `json:"devices_revoked"`
	HeardFrom     int64      `json:"devices_heard_from" doc:"Tablets in use with a contact since heard_since."`
	HeardSince    time.Time  `json:"heard_since"`
	OldestContact *time.Time `json:"oldest_contact,omitempty" doc:"Last contact of the tablet in use that has been silent for longest; absent without tablets."`
	Outstanding   int64      `json:"outstanding" doc:"Changes that tablets said to hold still, each at its last contact. What they logged since is not known."`
	Held          uint64     `json:"held" doc:"Changes that were received and not applied. They count nothing."`
	Conflicts     uint64     `json:"conflicts" doc:"Conflicts that nobody has settled."`
}

func viewCompleteness(c progress.Completeness) completenessView {
	return completenessView{At: c.At.UTC(), Position: c.Position, Devices: c.Enrolled, Revoked: c.Revoked, HeardFrom: c.HeardFrom, HeardSince: c.Since.UTC(),
		OldestContact: instant(c.OldestContact), Outstanding: c.Outstanding, Held: c.Held, Conflicts: c.Conflicts}
}

func viewTotals(q progress.TotalsQuery, t progress.Totals) totalsBody {
	v := totalsBody{AsOf: t.AsOf.String(), Recounted: t.Recounted, By: q.By.String(), ServiceDays: t.ServiceDays, Figures: viewFigures(t.Figures),
		Rows: make([]rowView, 0, len(t.Rows)), Truncated: t.Truncated, Completeness: viewCompleteness(t.Completeness)}
	for _, row := range t.Rows {
		r := rowView{Key: row.Key, Label: textView(row.Label), Code: row.Place}
		for _, basis := range q.Bases {
			values := make(map[string]int64, len(t.Figures))
			for _, f := range t.Figures {
				if !f.OnCalendar() {
					values[f.Name] = row.Values[basis][f.Name]
				}
			}
			if basis == tally.Verified {
				r.Verified = values
			} else {
				r.Reported = values
			}
		}
		v.Rows = append(v.Rows, r)
	}
	return v
}

type recordsBody struct {
	AsOf      string       `json:"as_of" format:"date" doc:"The last day that counts."`
	Records   []recordView `json:"records" nullable:"false"`
	Next      string       `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one. A page may have fewer rows than asked for and yet a next one."`
	Elsewhere bool         `json:"elsewhere" doc:"Whether what is left seldom gives anything to the total: it belongs to other teams than the one that the total is about, or to cases that say another day than the one on which they were opened."`
}

type recordView struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind" example:"headcount"`
	Day      string    `json:"day" format:"date" doc:"On which it counts. Day, site and team of a headcount are those of its activity."`
	Site     namedView `json:"site"`
	Team     namedView `json:"team"`
	Author   namedView `json:"author" doc:"Who logged it."`
	Verified bool      `json:"verified"`
	Amount   int64     `json:"amount" doc:"What it gives to the total. Of persons: how many it names or numbers; who is named in several records counts once."`
}

func viewRecords(b progress.Behind) recordsBody {
	v := recordsBody{AsOf: b.AsOf.String(), Records: make([]recordView, 0, len(b.Rows)), Next: idText(b.Next), Elsewhere: b.Elsewhere}
	for _, p := range b.Rows {
		v.Records = append(v.Records, recordView{p.ID.String(), kindText(p.Kind), p.Day.String(), viewNamed(p.Site), viewNamed(p.Team), viewNamed(p.Author), p.Verified, p.Amount})
	}
	return v
}

type devicesBody struct {
	Devices []deviceView `json:"devices" nullable:"false" doc:"By name."`
	Next    string       `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one."`
}

type deviceView struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	App         string     `json:"app" doc:"Program and version."`
	Worker      namedView  `json:"worker"`
	Team        namedView  `json:"team" doc:"The worker's, as it is now."`
	EnrolledAt  time.Time  `json:"enrolled_at"`
	LastContact *time.Time `json:"last_contact,omitempty"`
	State       string     `json:"state" enum:"active,unconfirmed,revoked,replaced"`
	RevokedAt   *time.Time `json:"revoked_at,omitempty" doc:"Absent while it is in use."`
	ReplacedBy  string     `json:"replaced_by,omitempty" doc:"The tablet that took its place."`
	Unsent      uint64     `json:"unsent" doc:"Changes that it said to hold still, at its last contact."`
	Have        uint64     `json:"have" doc:"Changes of it that the server has."`
	Held        uint64     `json:"held" doc:"Those among them that are held."`
	Unconfirmed bool       `json:"unconfirmed" doc:"It came back after a restore and is known by its certificate alone: what it sends is held until it is confirmed."`
	Copies      uint64     `json:"copies" doc:"In how many copies it has written: more than 1 after its data was copied or set back."`
}

func viewDevices(tablets []progress.Tablet, next hlc.ID) devicesBody {
	v := devicesBody{Devices: make([]deviceView, 0, len(tablets)), Next: idText(next)}
	for _, t := range tablets {
		v.Devices = append(v.Devices, deviceView{ID: t.ID.String(), Name: t.Name, App: t.App, Worker: viewNamed(t.Owner), Team: viewNamed(t.Team),
			EnrolledAt: time.UnixMilli(t.EnrolledAt).UTC(), LastContact: instant(t.LastContact), State: stateOf(t), RevokedAt: instant(t.RevokedAt), ReplacedBy: idText(t.ReplacedBy),
			Unsent: t.Unsent, Have: t.Have, Held: t.Held, Unconfirmed: t.AdmittedAt != 0, Copies: t.Copies})
	}
	return v
}

// stateOf is how things stand with a tablet, in a word.
func stateOf(t progress.Tablet) string {
	switch {
	case t.ReplacedBy != hlc.ID{}:
		return "replaced"
	case t.RevokedAt != 0:
		return "revoked"
	case t.AdmittedAt != 0:
		return "unconfirmed"
	default:
		return "active"
	}
}

type heldBody struct {
	Held []heldView `json:"held" nullable:"false" doc:"In the order in which they came. What a change says is not shown."`
	Next uint64     `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one."`
}

type heldView struct {
	Change   string    `json:"change" doc:"Id of the change; zeros when it can't be read."`
	Record   string    `json:"record,omitempty"`
	Kind     string    `json:"kind" example:"case_session"`
	Code     string    `json:"code" doc:"Why it is held." example:"not_your_team"`
	Message  string    `json:"message" doc:"The same for people, in the language of Accept-Language."`
	Device   namedView `json:"device"`
	Worker   namedView `json:"worker"`
	Team     namedView `json:"team"`
	Received time.Time `json:"received"`
	Position uint64    `json:"position" doc:"In the change log."`
}

func viewHeld(held []progress.HeldChange, next uint64, lang string) heldBody {
	v := heldBody{Held: make([]heldView, 0, len(held)), Next: next}
	for _, h := range held {
		v.Held = append(v.Held, heldView{h.Change.String(), idText(h.Record), kindText(h.Kind), string(h.Code), record.Message(h.Code, lang),
			viewNamed(h.Device), viewNamed(h.Worker), viewNamed(h.Team), h.Received, h.Position})
	}
	return v
}

type conflictsBody struct {
	Conflicts []conflictView `json:"conflicts" nullable:"false" doc:"What was filled in is not shown."`
	Next      string         `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one."`
}

type conflictView struct {
	ID     string     `json:"id"`
	Record string     `json:"record"`
	Kind   string     `json:"kind" doc:"Of the record."`
	Field  string     `json:"field" example:"minutes"`
	Team   namedView  `json:"team"`
	Sides  []sideView `json:"sides" nullable:"false" doc:"The last one stands."`
}

type sideView struct {
	Author namedView `json:"author"`
	At     time.Time `json:"at"`
}

func viewConflicts(conflicts []progress.Conflict, next hlc.ID) conflictsBody {
	v := conflictsBody{Conflicts: make([]conflictView, 0, len(conflicts)), Next: idText(next)}
	for _, c := range conflicts {
		view := conflictView{ID: c.ID.String(), Record: c.Target.String(), Kind: kindText(c.TargetKind), Field: c.Field, Team: viewNamed(c.Team), Sides: []sideView{}}
		for _, s := range c.Sides {
			view.Sides = append(view.Sides, sideView{viewNamed(s.Author), s.At})
		}
		v.Conflicts = append(v.Conflicts, view)
	}
	return v
}
