package webui_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"levee/server/internal/webtest"
)

// TestHistory imports what an office has on paper: it is refused with each bad cell named, mended, previewed and made, once.
func TestHistory(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		b := newSite(t).settingUp(lang)
		home := strings.TrimSuffix(b.At.Path, "/set-up")
		say := func(en, zh string) string { return map[string]string{"en": en, "zh": zh}[lang] }
		b.Open(home + "/import").Sees(say("Import records", "导入记录"))
		send := func(name, of, text string) *webtest.Browser {
			return b.Open(home+"/import").Upload(say("Show the preview", "预览"), webtest.Values("rows_of", of), "file", name, []byte(text))
		}
		heads := say("Team,Date,Service area,Households,Colour\n", "服务队,发生日期,服务领域,户数,颜色\n")
		bad := send("走访.csv", "", heads+"一队,2026-13-01,心理疏导,3,\n九队,2026-02-01,心理疏导,许多,\n").Is(http.StatusOK)
		bad.Sees(say("3 things have to be mended", "文件中有 3 处需要修改"), say("There is no such day.", "没有这一天"), say("B “Date”", "B “发生日期”"), say("the deployment has nothing of that name", "本次行动没有这个名称"), say("write a whole number", "请填写整数"), say("Colour", "颜色"))
		if len(webtest.Find(webtest.Find(b.Page, "main")[0], "button")) != 0 {
			t.Error("there is a button to import what is wrong")
		}
		b.Do(http.MethodPost, b.At.Path, webtest.Values("plan", "")) // whoever sends the form that is not there
		b.Is(http.StatusOK).Sees(say("3 things have to be mended", "文件中有 3 处需要修改"))
		day := say("2026-02-02", "2026-02-03")
		good := heads + "一队," + day + ",心理疏导,3,\n一队," + day + ",心理疏导,3,\n"
		send("历史.csv", "outreach", good).Sees(say("To be made: 2 records", "将以您的名义添加 2 条记录"))
		preview := b.At.Path
		b.Do(http.MethodPost, preview, webtest.Values("plan", "of before"))
		b.Is(http.StatusUnprocessableEntity).Sees(say("Something was changed since this preview.", "预览之后内容已有变动"))
		b.Send(say("Import", "导入"), nil).Sees(say("Imported.", "已导入"))
		send("历史.csv", "outreach", good).Sees(say("Everything in the file is there already.", "文件中的内容都已存在"))
		b.Open(home + "/audit").Sees(say("imported records from a file", "从文件导入记录"))
		b.Open(home + "/import")
		b.Follow(say("Empty file for outreach", "空白模板：走访"))
		if !strings.Contains(b.Text, say("households", "户数")) || strings.Contains(b.Text, say("deleted", "已删除")) {
			t.Errorf("the template is %q", b.Text)
		}
	}
	b := newSite(t).settingUp("en")
	home := strings.TrimSuffix(b.At.Path, "/set-up")
	f := excelize.NewFile()
	for cell, value := range map[string]any{"A1": "team", "B1": "occurred_on", "C1": "service_area", "D1": "households", "A2": "一队", "B2": 46057, "C2": "心理疏导", "D2": 7} {
		if err := f.SetCellValue("Sheet1", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	var book bytes.Buffer
	if err := f.Write(&book); err != nil {
		t.Fatal(err)
	}
	b.Open(home+"/import").Upload("Show the preview", webtest.Values("rows_of", "outreach"), "file", "x.xlsx", book.Bytes()).Sees("To be made: 1 record").Send("Import", nil).Sees("Imported.")
	for says, file := range map[string]string{"This file is larger than 4 MiB.": strings.Repeat("x", 4<<20+1), "larger than 4 MiB": strings.Repeat("x", 6<<20), "Choose a file.": ""} {
		if b.Open(home+"/import").Upload("Show the preview", nil, "file", "x.csv", []byte(file)); b.Status != http.StatusUnprocessableEntity || !strings.Contains(b.Text, says) {
			t.Errorf("%d, and not %q: %s", b.Status, says, b.Text)
		}
	}
}
