package record_test

import (
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

func TestFieldNumbersAreThoseOfTheProtos(t *testing.T) {
	common := map[protowire.Number]string{record.SiteField: "site", record.TeamField: "team", record.AuthorField: "author", record.OccurredOnField: "occurred_on",
		record.PlaceField: "place", record.StatusField: "status", record.ServiceAreaField: "service_area", record.DuplicateOfField: "duplicate_of", record.DeletedField: "deleted"}
	for _, k := range record.Kinds() {
		for number, want := range common {
			if got := record.FieldName(k, number); got != want {
				t.Errorf("field %d of %v is %s, want %s", number, k, got, want)
			}
		}
	}
	if got := record.FieldName(recordv1.Kind_KIND_REVIEW, record.ReviewOutcomeField); got != "outcome" {
		t.Errorf("the outcome is %s", got)
	}
}

func TestWhatIsNotKnownGoesByItsNumber(t *testing.T) {
	if got := record.FieldName(recordv1.Kind_KIND_CASE, 999); got != "999" {
		t.Error(got)
	}
	if got := record.FieldName(999, record.TeamField); got != "2" || record.FieldOf(999, record.TeamField) != nil {
		t.Error(got)
	}
}
