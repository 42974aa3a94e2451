package progress

import (
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"levee/server/internal/places"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

var (
	notStated = Text{"未填写", "not stated"}
	unknown   = Text{"不详", "unknown"}

	serviceAreas = map[recordv1.ServiceArea]Text{
		recordv1.ServiceArea_SERVICE_AREA_UNKNOWN:               unknown,
		recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT: {"心理疏导", "psychological support"},
		recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING:   {"文化重建", "cultural rebuilding"},
		recordv1.ServiceArea_SERVICE_AREA_RESOURCE_LINKING:      {"资源链接", "resource linking"},
		recordv1.ServiceArea_SERVICE_AREA_OTHER:                 {"其他", "other"},
	}
	answers = map[tally.Dimension]map[string]Text{
		tally.Sex:        {"male": {"男", "male"}, "female": {"女", "female"}, "unknown": unknown},
		tally.Disability: {"yes": {"有", "yes"}, "no": {"无", "no"}, "not_asked": {"未询问", "not asked"}, "unknown": unknown},
	}
)

// LabelOf is what people call a key of a dimension.
func LabelOf(setUp *syncing.SetUp, by tally.Dimension, key string) Text {
	label, _ := labelOf(setUp, by, key)
	return label
}

// labelOf is what people call a key, and the place code of a site.
func labelOf(setUp *syncing.SetUp, by tally.Dimension, key string) (label Text, place string) {
	switch by {
	case tally.Whole:
		return Text{"合计", "total"}, ""
	case tally.Day:
		return same(key), ""
	case tally.Place:
		return placeLabel(setUp, key), key
	case tally.Site, tally.Team, tally.Worker:
		id, err := uuid.Parse(key)
		if err != nil {
			return notStated, ""
		}
		if by == tally.Site {
			place = setUp.Sites[id].GetPlace().GetCode()
		}
		return same(nameIn(setUp, by, id)), place
	case tally.ServiceArea:
		return areaLabel(setUp, key), ""
	case tally.AgeBand:
		return ageLabel(record.AgeBands(setUp.Deployment), key), ""
	default:
		if text, ok := answers[by][key]; ok {
			return text, ""
		}
		return same(key), ""
	}
}

// nameIn is the name of a site, team or worker; empty when the set-up has none by that id.
func nameIn(setUp *syncing.SetUp, by tally.Dimension, id hlc.ID) string {
	switch by {
	case tally.Site:
		return setUp.Sites[id].GetName()
	case tally.Team:
		return setUp.Teams[id].GetName()
	default:
		return setUp.Workers[id].GetName()
	}
}

func named(setUp *syncing.SetUp, by tally.Dimension, id hlc.ID) Named {
	return Named{ID: id, Name: nameIn(setUp, by, id)}
}

// teamOf is the team in which a worker is now.
func teamOf(setUp *syncing.SetUp, worker hlc.ID) Named {
	return named(setUp, tally.Team, hlc.IDOf(setUp.Workers[worker].GetTeam()))
}

// idOfKey is the id that a key of totals is; false when it is none.
func idOfKey(key string) (hlc.ID, bool) {
	id, err := uuid.Parse(key)
	return id, err == nil
}

// placeLabel is the name of a site that stands for a whole place, or else the place's own; of a village, or a place that
// is not in the list, the code and the narrowest place around it that is.
func placeLabel(setUp *syncing.SetUp, code string) Text {
	if code == "" {
		return notStated
	}
	for _, site := range setUp.Sites {
		if site.GetPlace().GetCode() == code {
			return same(site.GetName())
		}
	}
	if name := places.Name(code); name != "" {
		return same(name)
	}
	if around := places.Path(code); len(around) > 0 {
		return same(around[len(around)-1].Name + " " + code)
	}
	return same(code)
}

func areaLabel(setUp *syncing.SetUp, key string) Text {
	number, err := strconv.ParseInt(key, 10, 32)
	if err != nil {
		return same(key)
	}
	label, ok := serviceAreas[recordv1.ServiceArea(number)]
	if !ok {
		label = same(key)
	}
	for _, a := range setUp.Deployment.GetServiceAreas() {
		if int64(a.GetNumber()) == number {
			return orElse(Text{a.GetLabelZh(), a.GetLabelEn()}, label)
		}
	}
	return label
}

// orElse fills what t lacks: from its other language before the common word.
func orElse(t, common Text) Text {
	switch {
	case t.Zh == "" && t.En == "":
		return common
	case t.Zh == "":
		t.Zh = t.En
	case t.En == "":
		t.En = t.Zh
	}
	return t
}

// ageLabel is a band as "6–13"; the last one is open.
func ageLabel(highest []uint32, key string) Text {
	band, err := strconv.Atoi(key)
	switch {
	case err != nil || band < 0 || band > len(highest)+1:
		return same(key)
	case band == 0:
		return unknown
	case band == len(highest)+1:
		return same(fmt.Sprintf("%d+", highest[len(highest)-1]+1))
	case band == 1:
		return same(fmt.Sprintf("0–%d", highest[0]))
	default:
		return same(fmt.Sprintf("%d–%d", highest[band-2]+1, highest[band-1]))
	}
}
