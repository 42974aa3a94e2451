package oracle

import (
	"testing"

	"pgregory.net/rapid"

	"levee/syncproto/record"
)

// What tests draw must be what a real tablet could have sent, or they prove nothing.
func TestWhatIsDrawnIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := NewWorld(t)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.Step(t)
		}
		for _, c := range w.Changes {
			if problems := record.Validate(c.Kind, c.Fields, w.Deployment(c)); len(problems) > 0 {
				t.Fatalf("a change of a %v: %v", c.Kind, problems)
			}
			back, err := record.DecodeChange(c.Encode(), c.Stamp.Replica)
			if err != nil || back.ID != c.ID || back.Stamp != c.Stamp {
				t.Fatalf("a change of a %v comes back as %v, %v", c.Kind, back, err)
			}
		}
	})
}
