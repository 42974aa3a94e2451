package localdb

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Ten thousand records come in pages of 500, as after an enrolment late in a deployment.
func BenchmarkPull(b *testing.B) {
	entropy := rand.NewChaCha8([32]byte{1})
	clock := hlc.NewClock(func() time.Time { return start }, 0)
	pages := make([][]Pulled, 20)
	for i := range pages {
		for j := range 500 {
			stamp := hlc.Stamp{Time: clock.Now(), Replica: 5}
			id, err := hlc.NewID(stamp.Time, entropy)
			if err != nil {
				b.Fatal(err)
			}
			fields, err := proto.Marshal(&recordv1.Outreach{Needs: proto.String(fmt.Sprint(strings.Repeat("水", 20), i, j)), Households: proto.Uint32(12), OccurredOn: proto.Int32(20210923)})
			if err != nil {
				b.Fatal(err)
			}
			c, err := record.Edit(id, id, recordv1.Kind_KIND_OUTREACH, stamp, nil, fields, nil)
			if err != nil {
				b.Fatal(err)
			}
			state := record.EncodeState(c.Registers())
			pages[i] = append(pages[i], Pulled{id, recordv1.Kind_KIND_OUTREACH, uint64(500*i + j + 1), state, proofOf(state)})
		}
	}
	for b.Loop() {
		db := newDB(b)
		for _, page := range pages {
			err := db.Write(b.Context(), func(tx *Tx) error {
				tablet, err := tx.Tablet()
				if err == nil {
					_, err = tx.Pull(tablet, page, true)
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
