package webui_test

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"
	"time"

	"levee/server/internal/audit"
	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// notedLast is the newest action in a deployment's audit log.
func (s *site) notedLast(deployment hlc.ID) audit.Action {
	s.t.Helper()
	entries, _, err := s.audit.Page(s.t.Context(), deployment, 0, 1)
	if err != nil || len(entries) == 0 {
		s.t.Fatal(entries, err)
	}
	return entries[0].Action
}

// fileOn is where the file of the page is; empty when there is none.
func fileOn(b *webtest.Browser) string {
	for _, a := range webtest.Find(b.Page, "a") {
		to := webtest.Attribute(a, "href")
		if path, _, _ := strings.Cut(to, "?"); strings.HasSuffix(path, "/file") {
			return to
		}
	}
	return ""
}

// taken is the file of the page, and its name.
func (s *site) taken(b *webtest.Browser) (name, content string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.server.URL+fileOn(b), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := b.Client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	all, err := io.ReadAll(answer.Body)
	_, parts, perr := mime.ParseMediaType(answer.Header.Get("Content-Disposition"))
	if err := errors.Join(err, perr); err != nil {
		s.t.Fatal(err)
	}
	return parts["filename"], string(all)
}

// TestAFileOfEachFormat: it is ordered, made, taken and removed, and noted.
func TestAFileOfEachFormat(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	path := "/deployments/" + d.ID.String() + "/exports"
	b := s.as(d, "coordinator", "en")
	b.Open(path).Is(http.StatusOK).Sees("You have no files.", "Of all teams.")
	for format, want := range map[string][2]string{"csv": {"levee-csv-20211001-1200.zip", "PK"}, "xlsx": {"levee-xlsx-20211001-1200.xlsx", "PK"},
		"hxl": {"levee-hxl-20211001-1200.csv", "\ufeffdeployment"}, "geojson": {"levee-geojson-20211001-1200.geojson", `{"type":"FeatureCollection"`}} {
		b.Open(path).Send("Make the file", webtest.Values("format", format)).Is(http.StatusOK)
		<-s.exported
		b.Open(path).Sees("ready", "kept until 1 Oct 2021 13:00")
		if got := s.notedLast(d.ID); got != audit.Exported {
			t.Errorf("%s: noted %s", format, got)
		}
		called := map[string][2]string{"csv": {"CSV", "CSV 文件"}, "xlsx": {"Excel", "Excel 工作簿"}, "hxl": {"HXL", "HXL 表"}, "geojson": {"GeoJSON", "GeoJSON 地图"}}[format]
		b.Open("/deployments/"+d.ID.String()+"/audit?lang=zh").Sees("导出记录 "+called[1]+"，更改日志第 ", " 位")
		b.Open("/deployments/" + d.ID.String() + "/audit?lang=en").Sees("exported records " + called[0] + ", at position ")
		b.Open(path)
		if name, content := s.taken(b); name != want[0] || !strings.HasPrefix(content, want[1]) {
			t.Errorf("%s: %s, %.40s", format, name, content)
		}
		b.Open(path).Send("Remove", nil).Is(http.StatusOK).Sees("Removed.", "You have no files.")
		<-s.exported
	}
	b.Open(path).Send("Make the file", webtest.Values("format", "hxl"))
	<-s.exported
	s.Pass(61 * time.Minute)
	b.Open(path).Sees("You have no files.")
}

// TestWhatIsConfidentialIsOrderedApart: with a warning, and noted as such.
func TestWhatIsConfidentialIsOrderedApart(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	path := "/deployments/" + d.ID.String() + "/exports"
	b := s.as(d, "super", "zh")
	b.Open(path+"?lang=zh").Sees("只包括您的服务队：one").Follow("同时导出保密内容").Is(http.StatusOK).Sees("无法收回", "审计日志")
	if strings.Contains(b.Text, "HXL") {
		t.Error("what is meant for others is offered with what is confidential")
	}
	b.Send("生成含保密内容的文件", webtest.Values("format", "hxl")).Is(http.StatusUnprocessableEntity)
	b.Send("生成含保密内容的文件", webtest.Values("format", "csv")).Is(http.StatusOK)
	<-s.exported
	if got := s.notedLast(d.ID); got != audit.ConfidentialExported {
		t.Errorf("noted %s", got)
	}
	b.Open(path+"?lang=zh").Sees("保密", "已生成")
}

// TestAFileIsItsOwnersAlone: nobody else finds it, and who may no longer see what is in it does not get it.
func TestAFileIsItsOwnersAlone(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	path := "/deployments/" + d.ID.String() + "/exports"
	b := s.as(d, "super", "en")
	b.Open(path).Send("Make the file", webtest.Values("format", "csv"))
	<-s.exported
	file := fileOn(b.Open(path))
	b.Open(file).Is(http.StatusOK)
	s.as(d, "coordinator", "en").Open(file).Is(http.StatusNotFound)
	moved := syncing.SetUpRecord{ID: d.Workers["super"], Message: &recordv1.Worker{Team: d.Teams[1][:]}}
	if err := d.Service.Add(t.Context(), []syncing.SetUpRecord{moved}); err != nil {
		t.Fatal(err)
	}
	b.Open(file).Is(http.StatusNotFound)
	b.Open(path).Sees("You have no files.")
}
