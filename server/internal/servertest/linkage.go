package servertest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Shows says in which form a secret stands in a text: as it is, in hexadecimal digits, or in base64; "" when in none.
func Shows(text string, secret []byte) string {
	digits := hex.EncodeToString(secret)
	switch {
	case strings.Contains(text, string(secret)):
		return "as it is"
	case strings.Contains(strings.ToLower(text), digits[:16]), strings.Contains(text, digits[:8]+"-"+digits[8:12]):
		return "in hexadecimal digits"
	}
	for skip := range 3 { // where in threes of bytes it begins depends on what comes before it
		whole := secret[skip : skip+(len(secret)-skip)/3*3]
		if strings.Contains(text, base64.StdEncoding.EncodeToString(whole)) || strings.Contains(text, base64.URLEncoding.EncodeToString(whole)) {
			return "in base64"
		}
	}
	return ""
}

// LinkageKey is the deployment's linkage key, as it is stored for tablets.
func (d *Deployment) LinkageKey() []byte {
	d.T.Helper()
	v := d.Enrol("coordinator")
	v.Pull()
	key, _ := record.CutBytes(v.Seen[d.ID].Get(record.LinkageKeyField).Value)
	if len(key) != record.LinkageKeyBytes {
		d.T.Fatalf("the deployment has the linkage key %x", key)
	}
	return key
}

// LinkageConflict makes a conflict about the linkage key, which no tablet can, and returns its id.
func (d *Deployment) LinkageConflict() hlc.ID {
	d.T.Helper()
	value := protowire.AppendBytes(protowire.AppendTag(nil, record.LinkageKeyField, protowire.BytesType), d.LinkageKey())
	id := d.NewID()
	err := d.Service.Add(context.Background(), []syncing.SetUpRecord{{ID: id, Message: &recordv1.Conflict{Target: d.ID[:], TargetKind: recordv1.Kind_KIND_DEPLOYMENT.Enum(),
		Field: proto.Uint32(uint32(record.LinkageKeyField)), Sides: []*recordv1.ConflictSide{{Value: value, Time: proto.Uint64(1), Replica: proto.Uint64(1)}}}}})
	if err != nil {
		d.T.Fatal(err)
	}
	return id
}
