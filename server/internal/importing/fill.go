package importing

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// identify is the id of a row that has none. It follows from what the row says and from how many before it say the same, so that
// the same row gets it again whenever the file is imported; it has the time of the record's day.
func (c *checking) identify(r *row) hlc.ID {
	hash := sha256.New()
	_, _ = hash.Write(c.deployment[:])                                    // a hash takes everything
	_, _ = hash.Write(binary.BigEndian.AppendUint32(nil, uint32(r.kind))) //nolint:gosec // kinds are positive
	said, err := proto.MarshalOptions{Deterministic: true}.Marshal(r.Message)
	if err != nil {
		said = nil // a text that is not UTF-8: the row is refused
	}
	_, _ = hash.Write(said)
	sum := [sha256.Size]byte(hash.Sum(nil))
	one := sha256.Sum256(binary.BigEndian.AppendUint64(sum[:], c.alike[sum]))
	c.alike[sum]++
	day := record.Date(r.Message.GetOccurredOn())
	if !day.Valid() {
		day = c.rules.Start
	}
	id, err := hlc.NewID(hlc.TimeOf(day.Start(c.setUp.Location)), bytes.NewReader(one[:]))
	if err != nil {
		return hlc.ID{} // there are bytes enough
	}
	return id
}

// done are the kinds of work that counts only when it says that it was held. Paper has what was done.
var done = []record.Kind{recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_OUTREACH}

// fill fills in what goes without saying for who writes by hand: what the record has from what it belongs to, that it was done, that
// it comes later and from whom, and where that person's team works.
func (c *checking) fill(r *row, owner *owned) {
	if owner != nil && owner.message != nil {
		for _, field := range []protowire.Number{record.SiteField, record.TeamField, record.PlaceField, record.ServiceAreaField} {
			from := owner.message.ProtoReflect()
			if f := from.Descriptor().Fields().ByNumber(field); from.Has(f) {
				set(r.Message, field, from.Get(f))
			}
		}
	}
	if slices.Contains(done, r.kind) {
		set(r.Message, record.StatusField, protoreflect.ValueOfEnum(recordv1.Status_STATUS_HELD.Number()))
	}
	set(r.Message, entryField, protoreflect.ValueOfEnum(recordv1.Entry_ENTRY_BACKFILLED.Number()))
	set(r.Message, record.AuthorField, protoreflect.ValueOfBytes(c.by.Worker[:]))
	if author := r.references(record.AuthorField); len(author) == 1 {
		setBytes(r.Message, record.TeamField, c.setUp.Workers[author[0]].GetTeam())
	}
	if team := r.references(record.TeamField); len(team) == 1 {
		setBytes(r.Message, record.SiteField, c.setUp.Teams[team[0]].GetSite())
	}
	if site := r.references(record.SiteField); len(site) == 1 {
		if place := c.setUp.Sites[site[0]].GetPlace(); place != nil {
			set(r.Message, record.PlaceField, protoreflect.ValueOfMessage(place.ProtoReflect()))
		}
	}
}

// entryField says how a record came to be logged.
const entryField protowire.Number = 9

// set sets a field that is absent.
func set(m record.Common, number protowire.Number, value protoreflect.Value) {
	to := m.ProtoReflect()
	if f := to.Descriptor().Fields().ByNumber(number); !to.Has(f) {
		to.Set(f, value)
	}
}

func setBytes(m record.Common, number protowire.Number, id []byte) {
	if len(id) > 0 {
		set(m, number, protoreflect.ValueOfBytes(id))
	}
}
