package httpapi_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"levee/server/internal/servertest"
	"levee/server/internal/workbook"
	"levee/syncproto/problem"
)

// A program sends a bureau's Excel file, names its cells, and has a day filled in; what can't be filled in is named.
func TestABureausFileThroughTheAPI(t *testing.T) {
	d := newDesk(t)
	var made struct {
		ID     string
		Sheets []string
	}
	file := string(servertest.BureauFile(t))
	for what, p := range map[string]problemView{
		"no workbook": d.send(bad, "POST", "/api/workbooks?name=x", "no workbook", nil),
		"no name":     d.send(bad, "POST", "/api/workbooks?name=%20x", file, nil),
		"two lines":   d.send(bad, "POST", "/api/workbooks?name=x%0Ay", file, nil),
	} {
		if p.Code != string(problem.InvalidArgument) {
			t.Errorf("%s: %+v", what, p)
		}
	}
	d.send(http.StatusRequestEntityTooLarge, "POST", "/api/workbooks?name=x", strings.Repeat("x", workbook.MaxBytes+1), nil)
	d.send(add, "POST", "/api/workbooks?name="+url.QueryEscape("民政局 日报"), file, &made)
	if len(made.Sheets) != 1 || made.Sheets[0] != "Sheet1" {
		t.Errorf("%+v", made)
	}
	at := "/api/workbooks/" + made.ID
	p := d.send(bad, "PUT", at+"/cells", `{"cells":[{"sheet":"Sheet1","ref":"b2","value":"done.contacts"},{"sheet":"Sheet1","ref":"B4","value":"to"},{"sheet":"Sheet1","ref":"B2","value":"to"},{"sheet":"2","ref":"B2","value":"to"},
		{"sheet":"Sheet1","ref":"B","value":"to"},{"sheet":"Sheet1","ref":"C1","value":"done.service_days"},{"sheet":"Sheet1","ref":"C2","value":"total.contacts","town":"410621108"},{"sheet":"Sheet1","ref":"C3","value":"done.contacts","town":"41"}]}`, nil)
	if !strings.HasSuffix(p.Detail, "cells[1]: has_formula; cells[2]: twice; cells[3]: no_sheet; cells[4]: no_cell; cells[5]: no_value; cells[6]: no_town; cells[7]: no_town") {
		t.Errorf("%+v", p)
	}
	d.send(non, "PUT", at+"/cells", `{"cells":[{"sheet":"Sheet1","ref":"b2","value":"done.contacts"},{"sheet":"Sheet1","ref":"B3","value":"total.contacts"},{"sheet":"Sheet1","ref":"C1","value":"text"},{"sheet":"Sheet1","ref":"C2","value":"done.contacts","town":"410621108"}]}`, nil)
	var list struct {
		Workbooks []struct {
			ID, Name string
			Cells    []struct{ Sheet, Ref, Value, Town string }
		}
		Values []string
	}
	d.send(ok, "GET", "/api/workbooks", "", &list)
	for i, w := range list.Workbooks {
		if w.ID == made.ID && w.Name == "民政局 日报" && len(w.Cells) == 4 && w.Cells[0].Ref == "B2" && w.Cells[3].Town == "410621108" {
			break
		}
		if i == len(list.Workbooks)-1 {
			t.Errorf("%+v", list)
		}
	}
	if values := strings.Join(list.Values, " "); !strings.HasPrefix(values, "deployment from to service_days text ") || !strings.Contains(values, " total_verified.persons") || strings.Contains(values, ".service_days") {
		t.Errorf("%s", values)
	}
	for lang, begins := range map[string]string{"zh-CN": "【日报】10月1日", "en": "[Daily report] 1 Oct"} {
		answer, body := d.get(at+"/filled?date=2021-10-01", "Authorization", "Bearer "+d.token, "Accept-Language", lang)
		f, err := excelize.OpenReader(bytes.NewReader(body))
		if err != nil {
			t.Fatalf("%+v: %v", answer, err)
		}
		for ref, want := range map[string]string{"B2": "4", "B3": "4", "C1": begins, "C2": "0"} {
			if got, err := f.GetCellValue("Sheet1", ref); err != nil || !strings.HasPrefix(got, want) {
				t.Errorf("%s is %q, %v", ref, got, err)
			}
		}
		if name := answer.Header.Get("Content-Disposition"); answer.Header.Get("Content-Type") != workbook.Type || !strings.Contains(name, url.PathEscape("民政局 日报 2021-10-01.xlsx")) {
			t.Errorf("%s", name)
		}
	}
	d.send(bad, "GET", at+"/filled?date=1999-01-01", "", nil)
	d.send(non, "DELETE", at, "", nil)
	d.send(hid, "GET", at+"/filled", "", nil)
	for range workbook.Most - len(list.Workbooks) + 1 {
		d.send(add, "POST", "/api/workbooks?name=x", file, nil)
	}
	if p := d.send(bad, "POST", "/api/workbooks?name=x", file, nil); !strings.Contains(p.Detail, "10 Excel files") {
		t.Errorf("one more than there may be: %+v", p)
	}
	if log := d.audited(); strings.Count(log, "set_up_changed") != 3+workbook.Most-len(list.Workbooks)+1 {
		t.Errorf("noted: %s", log)
	}
}
