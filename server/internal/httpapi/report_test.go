package httpapi_test

import (
	"strings"
	"testing"

	"levee/server/internal/report"
	"levee/server/internal/servertest"
)

// A day is told as the page tells it, and the text is there in both languages.
func TestAReportOfADay(t *testing.T) {
	s := serve(t, servertest.New(t))
	anna := s.Enrol("anna")
	anna.Push(activity(anna, 30)...)
	type told struct {
		report.Report
		Text struct{ Zh, En string }
	}
	var got, before told
	s.read("/api/report?date=2021-10-01", &got)
	if got.From.Date != 20211001 || got.To.Date != 20211001 || !got.Whole || got.ServiceDays != 9 || got.Done.Reported["contacts"] != 32 || got.Total.Reported["persons"] != 30 || len(got.Workers) != 1 {
		t.Errorf("%+v", got)
	}
	if !strings.HasPrefix(got.Text.Zh, "【日报】10月1日") || !strings.HasPrefix(got.Text.En, "[Daily report] 1 Oct") {
		t.Errorf("%+v", got.Text)
	}
	s.read("/api/report?period=week&date=2021-09-24", &before)
	if before.From.Date != 20210923 || before.To.Date != 20210926 || before.Done.Reported["contacts"] != 0 {
		t.Errorf("%+v", before)
	}
}
