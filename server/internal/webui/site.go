package webui

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/places"
	recordv1 "levee/syncproto/levee/record/v1"
)

// Numbers of the fields of a Site.
const (
	sitePlanned   protowire.Number = 17
	siteLatitude  protowire.Number = 18
	siteLongitude protowire.Number = 19
)

// typedEdition is that of place codes which people type and the list of places does not have: it may be older.
const typedEdition = 2023

// editSite edits or makes a site.
func (v *visit) editSite() error {
	id, was, made, err := target(v, "site", v.within.Syncing.SetUp().Sites)
	if err != nil {
		return err
	}
	if made {
		was = &recordv1.Site{}
	}
	fields := []protowire.Number{commonPlace, namedName, sitePlanned, siteLatitude, siteLongitude}
	place, find := was.GetPlace().GetCode(), ""
	if v.posted() {
		place, find = strings.TrimSpace(v.FormValue("place")), strings.TrimSpace(v.FormValue("find"))
	}
	f := v.setUpForm(was, fields...).add(
		&field{Name: "name", Label: v.T("field_site_name"), Required: true, Value: was.GetName(), Focus: made},
		&field{Name: "find", Button: &option{"find", v.T("find_place")}},
		&field{Name: "place", Sort: "select", Value: place, Options: placeOptions(place, find), Button: &option{"within", v.T("places_within")}},
		&field{Name: "village", Value: was.GetPlace().GetVillage()},
		&field{Name: "latitude", Value: degrees(was.LatitudeE6), Mode: "decimal"},
		&field{Name: "longitude", Value: degrees(was.LongitudeE6), Mode: "decimal"},
		&field{Name: "planned", Sort: "check", Value: map[bool]string{true: "on"}[was.GetPlanned()]})
	show := func() error {
		return v.show("form", &page{Title: v.titleOf("site", made), Form: f, Links: []link{{To: v.To(v.toSetUp()), Name: v.T("go_back")}}})
	}
	filled := v.filled(f)
	if do := v.FormValue("do"); v.posted() && do != "" {
		v.lookForPlace(f, do)
		return show()
	}
	if !filled || !v.checkPlace(f) {
		return show()
	}
	m := &recordv1.Site{Author: v.author(), Name: proto.String(f.value("name")), Place: &recordv1.Place{Code: proto.String(f.value("place"))}}
	if m.Place.Edition = editionOf(m.GetPlace().GetCode()); m.GetPlace().GetCode() == was.GetPlace().GetCode() {
		m.Place.Edition = was.GetPlace().Edition
	}
	if village := f.value("village"); village != "" {
		m.Place.Village = &village
	}
	m.LatitudeE6, m.LongitudeE6 = v.millionths(f, "latitude", 90), v.millionths(f, "longitude", 180)
	if missing := map[bool]string{m.LatitudeE6 == nil: "latitude", m.LongitudeE6 == nil: "longitude"}[true]; (m.LatitudeE6 == nil) != (m.LongitudeE6 == nil) {
		f.wrong(missing, v.T("wrong_coordinate"))
	}
	if f.value("planned") != "" {
		m.Planned = proto.Bool(true)
	}
	if !f.ok() {
		return show()
	}
	return v.save(setUpEdit{id: id, set: m, fields: fields, then: v.toSetUp(),
		at: map[protowire.Number]string{namedName: "name", commonPlace: "place", siteLatitude: "latitude", siteLongitude: "longitude"}}, f, show)
}

// mostFound is how many places are offered that were found.
const mostFound = 40

// placeOptions are the places to choose from: those found by a text, or the place of a code with those around it and right
// within it.
func placeOptions(code, find string) (list []option) {
	if find != "" {
		for _, p := range places.Find(find, mostFound) {
			list = append(list, option{p.Code, placePath(&recordv1.Place{Code: &p.Code})})
		}
		if code == "" || slices.ContainsFunc(list, func(o option) bool { return o.Value == code }) {
			return list
		}
	}
	for _, p := range places.Path(code) {
		list = append(list, option{p.Code, placePath(&recordv1.Place{Code: &p.Code})})
	}
	if code != "" && placeCode(code) && places.Name(code) == "" { // of another edition, or of a village
		list = append(list, option{code, code})
	}
	for _, p := range places.Children(code) {
		list = append(list, option{p.Code, p.Name + " " + p.Code})
	}
	return list
}

// lookForPlace shows other places to choose from: those found by the text that was typed, or those within the one chosen.
func (v *visit) lookForPlace(f *form, do string) {
	f.forgive()
	find, place := f.field("find"), f.field("place")
	if do != "find" {
		find.Value = ""
		place.Options = placeOptions(place.Value, "")
		return
	}
	place.Value = ""
	if place.Options = placeOptions("", find.Value); len(place.Options) == 1 {
		place.Value = place.Options[0].Value
	}
	if len(place.Options) == 0 {
		f.wrong("find", v.T("wrong_no_place"))
		place.Options = placeOptions("", "")
	}
}

// checkPlace reports whether a place was chosen, or its code typed.
func (v *visit) checkPlace(f *form) bool {
	find, place := f.field("find"), f.field("place")
	if place.Value == "" && placeCode(find.Value) {
		place.Value, find.Value = find.Value, ""
	}
	if place.Value == "" {
		f.wrong("place", v.T("wrong_choose_place"))
	}
	return f.ok()
}

// editionOf is the edition of a place code that somebody gave.
func editionOf(code string) *int32 {
	if places.Name(code) != "" {
		return proto.Int32(places.Edition)
	}
	return proto.Int32(typedEdition)
}

// degrees are millionths of a degree as people write them.
func degrees(millionths *int32) string {
	if millionths == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*millionths)/1e6, 'f', -1, 64)
}

// millionths are the degrees that a field says; nil when it says none.
func (v *visit) millionths(f *form, name string, most float64) *int32 {
	if f.value(name) == "" {
		return nil
	}
	m, ok := millionths(f.value(name), most)
	if !ok {
		f.wrong(name, v.T("wrong_degrees", int(most), int(most)))
	}
	return &m
}

// millionths reads degrees from -most to most.
func millionths(text string, most float64) (int32, bool) {
	degrees, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(degrees) <= most) { // NaN is no number of degrees either
		return 0, false
	}
	return int32(math.Round(degrees * 1e6)), true
}
