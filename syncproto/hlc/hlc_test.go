package hlc_test

import (
	"bytes"
	"crypto/ed25519"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"levee/syncproto/hlc"
)

var day0 = time.Date(2021, 9, 23, 8, 0, 0, 0, time.UTC)

func TestClockRisesWhateverTheWallDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wall := day0
		clock := hlc.NewClock(func() time.Time { return wall }, hlc.TimeOf(day0))
		last := hlc.TimeOf(day0)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			wall = wall.Add(time.Duration(rapid.IntRange(-100000, 100000).Draw(t, "jump")) * time.Millisecond)
			if rapid.Bool().Draw(t, "observe") {
				seen := hlc.TimeOf(day0.Add(time.Duration(rapid.IntRange(0, 1000000).Draw(t, "seen")) * time.Millisecond))
				clock.Observe(seen)
				last = max(last, seen)
			}
			now := clock.Now()
			if now <= last {
				t.Fatalf("%d does not follow %d", now, last)
			}
			if now < hlc.TimeOf(wall) {
				t.Fatalf("%v lies before the wall clock %v", now.Wall(), wall)
			}
			last = now
		}
	})
}

func TestOffsetMovesTheClock(t *testing.T) {
	clock := hlc.NewClock(func() time.Time { return day0 }, 0)
	clock.SetOffset(time.Hour)
	if got := clock.Now().Wall(); !got.Equal(day0.Add(time.Hour)) {
		t.Fatalf("corrected time is %v", got)
	}
}

func TestIDIsUUIDv7OfItsTime(t *testing.T) {
	entropy := rand.NewChaCha8([32]byte{1})
	at := hlc.TimeOf(day0) + 7
	id, err := hlc.NewID(at, entropy)
	if err != nil {
		t.Fatal(err)
	}
	if id.Version() != 7 || id.Variant().String() != "RFC4122" {
		t.Fatalf("%v is version %v, variant %v", id, id.Version(), id.Variant())
	}
	if hlc.IDTime(id) != hlc.TimeOf(day0) {
		t.Fatalf("time of %v is %v", id, hlc.IDTime(id).Wall())
	}
	next, _ := hlc.NewID(at+1, entropy)
	if bytes.Compare(id[:], next[:]) >= 0 {
		t.Fatalf("%v does not ascend to %v", id, next)
	}
	again, _ := hlc.NewID(at, rand.NewChaCha8([32]byte{1}))
	if again != id {
		t.Fatal("the same time and entropy make another id")
	}
}

func TestReplicaNeedsItsKey(t *testing.T) {
	a := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	b := ed25519.NewKeyFromSeed([]byte("another device, another seed 32b")).Public().(ed25519.PublicKey)
	if hlc.ReplicaOf(a, 1) == hlc.ReplicaOf(b, 1) || hlc.ReplicaOf(a, 1) == hlc.ReplicaOf(a, 2) {
		t.Fatal("numbers of other keys or nonces collide")
	}
	if int64(hlc.ReplicaOf(a, 1)) < 0 {
		t.Fatal("a number must fit 63 bits")
	}
}

func TestTimeClampsWhatCannotBe(t *testing.T) {
	if hlc.TimeOf(time.Date(1930, 1, 1, 0, 0, 0, 0, time.UTC)) != 0 {
		t.Fatal("before 1970 is not brought to 0")
	}
	if got := hlc.OfMillis(1 << 60).Millis(); got != 1<<48-1 {
		t.Fatalf("beyond 48 bits is %d", got)
	}
}
