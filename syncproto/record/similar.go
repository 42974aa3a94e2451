package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	recordv1 "levee/syncproto/levee/record/v1"
)

// closeInTime is how far apart two colleagues who were at one activity log it at most.
const closeInTime = 4 * time.Hour

// Similar reports whether two records of kind k may be of one thing, so that people should look whether one of them is a
// duplicate. madeA and madeB are when they were made.
//
//   - outreach, group session, community activity: of one team, on one day, in one place, and made within four hours of each
//     other; when one author made both, they must also be called the same, since a volunteer may do five rounds a day. Of what
//     was backfilled, when it was made says nothing.
//   - case session: of one case, on one day.
//   - case: with one number.
//   - headcount: of one counter, in one zone of one activity.
//   - resource link: for one need, on one day, at one site.
//
// No other kind is compared. What is deleted or cancelled, or says already that it is a duplicate, is similar to nothing.
func Similar(k Kind, a, b Common, madeA, madeB time.Time) bool {
	if settled(a) || settled(b) {
		return false
	}
	sameDay := a.GetOccurredOn() == b.GetOccurredOn()
	switch k {
	case recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY:
		return sameDay && bytes.Equal(a.GetTeam(), b.GetTeam()) && samePlace(a.GetPlace(), b.GetPlace()) &&
			(backfilled(a) || backfilled(b) || madeA.Sub(madeB).Abs() <= closeInTime) &&
			(!bytes.Equal(a.GetAuthor(), b.GetAuthor()) || sameByName(a, b))
	case recordv1.Kind_KIND_CASE_SESSION:
		a, b := a.(*recordv1.CaseSession), b.(*recordv1.CaseSession)
		return sameDay && len(a.GetCase()) > 0 && bytes.Equal(a.GetCase(), b.GetCase())
	case recordv1.Kind_KIND_CASE:
		return sameText(a.(*recordv1.Case).GetCaseNo(), b.(*recordv1.Case).GetCaseNo())
	case recordv1.Kind_KIND_HEADCOUNT:
		a, b := a.(*recordv1.Headcount), b.(*recordv1.Headcount)
		return len(a.GetActivity()) > 0 && bytes.Equal(a.GetActivity(), b.GetActivity()) && bytes.Equal(a.GetCounter(), b.GetCounter()) &&
			folded(a.GetZone()) == folded(b.GetZone())
	case recordv1.Kind_KIND_RESOURCE_LINK:
		return sameDay && bytes.Equal(a.GetSite(), b.GetSite()) &&
			sameText(a.(*recordv1.ResourceLink).GetNeed(), b.(*recordv1.ResourceLink).GetNeed())
	default:
		return false
	}
}

// Likeness is the same, and never empty, for all records of kind k that may be Similar to m, so that they can be found by
// it; nil when none is. It is short, and says nothing that can be read.
func Likeness(k Kind, m Common) []byte {
	if settled(m) {
		return nil
	}
	var parts []any
	switch k {
	case recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY:
		parts = []any{m.GetOccurredOn(), m.GetTeam(), m.GetPlace().GetCode()}
	case recordv1.Kind_KIND_CASE_SESSION:
		if m := m.(*recordv1.CaseSession); len(m.GetCase()) > 0 {
			parts = []any{m.GetOccurredOn(), m.GetCase()}
		}
	case recordv1.Kind_KIND_CASE:
		if number := folded(m.(*recordv1.Case).GetCaseNo()); number != "" {
			parts = []any{number}
		}
	case recordv1.Kind_KIND_HEADCOUNT:
		if m := m.(*recordv1.Headcount); len(m.GetActivity()) > 0 {
			parts = []any{m.GetActivity(), m.GetCounter(), folded(m.GetZone())}
		}
	case recordv1.Kind_KIND_RESOURCE_LINK:
		if need := folded(m.(*recordv1.ResourceLink).GetNeed()); need != "" {
			parts = []any{m.GetOccurredOn(), m.GetSite(), need}
		}
	}
	if parts == nil {
		return nil
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %x", k, parts))
	return sum[:likenessBytes]
}

// likenessBytes is how long a Likeness is. Two that are the same by chance cost one comparison.
const likenessBytes = 12

// Traits are what Similar compares besides the Likeness, in a few bytes, so that most records of one Likeness can be told apart without
// reading them: see Unlike. They say nothing that can be read, and are nil where nothing more is compared.
func Traits(k Kind, m Common) []byte {
	switch k {
	case recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY:
		b := make([]byte, 0, traitsBytes)
		b = binary.BigEndian.AppendUint64(b, hashed(string(m.GetAuthor())))
		b = binary.BigEndian.AppendUint32(b, uint32(hashed(folded(m.GetPlace().GetVillage()))>>32))
		b = binary.BigEndian.AppendUint32(b, uint32(hashed(called(m))>>32))
		if backfilled(m) {
			return append(b, 1)
		}
		return append(b, 0)
	default:
		return nil
	}
}

// Unlike reports whether two records of one Likeness are certainly not Similar, by their Traits and when they were made. Where either
// has none it reports false.
func Unlike(a, b []byte, madeA, madeB time.Time) bool {
	if len(a) != traitsBytes || len(b) != traitsBytes {
		return false
	}
	authorA, authorB := a[:8], b[:8]
	villageA, villageB := binary.BigEndian.Uint32(a[8:]), binary.BigEndian.Uint32(b[8:])
	calledA, calledB := binary.BigEndian.Uint32(a[12:]), binary.BigEndian.Uint32(b[12:])
	backfilled := a[16] == 1 || b[16] == 1
	return (villageA != villageB && villageA != 0 && villageB != 0) ||
		(!backfilled && madeA.Sub(madeB).Abs() > closeInTime) ||
		(bytes.Equal(authorA, authorB) && (calledA != calledB || calledA == 0))
}

// traitsBytes is how long Traits are: the author, the village, by what it is called, and whether it was backfilled.
const traitsBytes = 17

// hashed is 0 for nothing alone, in its upper half too.
func hashed(text string) uint64 {
	if text == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(sum[:]) | 1<<32
}

// settled reports whether a record is no candidate, whatever it is compared with.
func settled(m Common) bool {
	return m.GetDeleted() || m.GetStatus() == recordv1.Status_STATUS_CANCELLED || len(m.GetDuplicateOf()) > 0
}

func backfilled(m Common) bool { return m.GetEntry() == recordv1.Entry_ENTRY_BACKFILLED }

// sameByName reports whether two activities are called the same.
func sameByName(a, b Common) bool {
	name := called(a)
	return name != "" && name == called(b)
}

// called is by what people tell activities of one author apart; empty when they can't.
func called(m Common) string {
	switch m := m.(type) {
	case *recordv1.CommunityActivity:
		return folded(m.GetName())
	case *recordv1.GroupSession:
		if m.Number != nil {
			return string(m.GetGroup()) + " " + strconv.FormatUint(uint64(m.GetNumber()), 10)
		}
	case *recordv1.Outreach:
		if m.Households != nil {
			return strconv.Itoa(int(m.GetMode())) + " " + strconv.FormatUint(uint64(m.GetHouseholds()), 10)
		}
	}
	return ""
}

// samePlace reports whether two places may be one. Somebody may have left out the village.
func samePlace(a, b *recordv1.Place) bool {
	if a.GetCode() != b.GetCode() {
		return false
	}
	villageA, villageB := folded(a.GetVillage()), folded(b.GetVillage())
	return villageA == villageB || villageA == "" || villageB == ""
}

// sameText reports whether two texts are the same for people. Of what is not there nothing can be said.
func sameText(a, b string) bool { return folded(a) != "" && folded(a) == folded(b) }

// folded is a text without what people don't see or take care of.
func folded(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }
