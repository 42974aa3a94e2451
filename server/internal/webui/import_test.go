package webui_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"levee/server/internal/places"
	"levee/server/internal/webtest"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestImport sets a deployment up from three files, and imports each twice.
func TestImport(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("zh")
	here := b.At.Path + "/import"
	send := func(sort, name, text string) *webtest.Browser {
		return b.Open(here).Upload("预览", webtest.Values("sort", sort), "file", name, []byte(text)).Is(http.StatusOK)
	}
	sites := "\ufeff名称,行政区划代码,地点,村/组,纬度,经度,计划中\r\n上乐村,,河南省 卫辉市 上乐村镇,东街,35.5,114.1,是\r\n王庄镇,410621108,,,35.67,114.55,\r\n"
	send("sites", "服务点.csv", sites).Sees("将添加：1 行；将修改：1 行", "上乐村", "王庄镇", "纬度：由 空 改为 35.67")
	if len(s.setUp().Sites) != 2 {
		t.Fatal("the preview changed something")
	}
	b.Send("导入", nil).Sees("已导入", "河南省 › 新乡市 › 卫辉市 › 上乐村镇 › 东街")
	send("sites", "服务点.csv", sites).Sees("将添加：0 行；将修改：0 行；无变化：2 行")
	if len(webtest.Find(webtest.Find(b.Page, "main")[0], "button")) != 0 {
		t.Error("there is nothing to import, and a button for it")
	}
	send("teams", "teams.csv", "name;site\n三队;上乐村\n一队;王庄镇\n").Sees("将添加：1 行")
	b.Send("导入", nil).Sees("已导入", "三队")

	workers := "姓名,角色,服务队,类型,职业资格,电话,邮箱,到岗日期,离岗日期,督导的服务队,外部督导\n王芳,队长,三队,社会工作者,社会工作师,139,wang@example.org,2026/2/1,,,\n赵督导,supervisor,,expert,,,,,2026-03-01,一队；三队,是\n李娜,,一队,,,,,,,,\n"
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(workers)
	if err != nil {
		t.Fatal(err)
	}
	send("workers", "人员.csv", gb).Sees("将添加：3 行").Send("导入", nil).Sees("已导入", "王芳", "赵督导", "李娜", "一队、三队")
	send("workers", "人员.csv", gb).Sees("无变化：3 行")
	byName := map[string]*recordv1.Worker{}
	for _, w := range s.setUp().Workers {
		byName[w.GetName()] = w
	}
	if w := byName["王芳"]; w.GetRole() != recordv1.Role_ROLE_TEAM_LEAD || w.GetType() != recordv1.WorkerType_WORKER_TYPE_SOCIAL_WORKER || w.GetQualification() != recordv1.Qualification_QUALIFICATION_SOCIAL_WORKER || w.GetFromOn() != 20260201 || w.GetEmail() != "wang@example.org" {
		t.Errorf("the lead is %v", w)
	}
	if w := byName["赵督导"]; !w.GetExternal() || len(w.GetSupervises()) != 2 || w.GetToOn() != 20260301 {
		t.Errorf("the supervisor is %v", w)
	}
	if w := byName["李娜"]; w.GetRole() != recordv1.Role_ROLE_FIELD_WORKER || w.GetType() != recordv1.WorkerType_WORKER_TYPE_VOLUNTEER {
		t.Errorf("the field worker is %v", w)
	}
	for _, one := range s.setUp().Sites {
		if one.GetName() == "上乐村" && (one.GetPlace().GetCode() != "410781106" || one.GetPlace().GetEdition() != places.Edition || !one.GetPlanned()) || one.GetName() == "王庄镇" && one.GetPlace().GetEdition() != 2023 {
			t.Errorf("the site is %v", one)
		}
	}
	b.Open(strings.TrimSuffix(here, "set-up/import") + "audit").Sees("修改设置")
}

// TestImportNamesWhatIsWrong: each row and cell, and nothing of such a file is taken.
func TestImportNamesWhatIsWrong(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("en")
	here := b.At.Path + "/import"
	for _, one := range []struct {
		sort, file string
		says       []string
	}{
		{"sites", "name,code,place,latitude,longitude,planned,colour\nA,41062,,,,,red\n,410621108,,,,,\nB,410621108,,95,114,,\nC,410621108,,35,,,\nD,,王庄镇,,,,\nE,,没有这里,,,,\nF,410621108,,,,perhaps,\nG,,,,,,\nA,410621108,,,,,\n",
			[]string{"9 rows have to be mended", "colour", `2 A to mend “place code”: “41062”. A place code has`, "3 — to mend “name”: empty. This is needed.", `4 B to mend “latitude”: “95”. Degrees, from -90 to 90.`, "5 C to mend “longitude”: empty. Give both",
				`6 D to mend “place”: “王庄镇”. `, `7 E to mend “place”: “没有这里”. No place is found`, `8 F to mend “planned”: “perhaps”. Yes or no.`, "9 G to mend “place code”: empty. This is needed.", `10 A to mend “name”: “A”. This name is in row 2 already.`}},
		{"teams", "name,site\n" + strings.Repeat("x", 300) + ",\n四队,河边\n", []string{"2 rows have to be mended", "“name”", `“site”: “河边”. There is no site “河边”.`}},
		{"workers", "name,role,team,e-mail,from,supervises,external\n李娜,队员,,,,,\n王芳,cook,一队,,,,\n赵,,九队,,,,\n钱,,一队,here,soon,,\n孙,,一队,,,二队,是\n周协调,supervisor,,,,,\n",
			[]string{"6 rows have to be mended", "“team”: empty. A field worker or team lead needs a team.", `“role”: “cook”. One of: field worker, team lead`, `“team”: “九队”. There is no team`, `“e-mail”: “here”. An e-mail address`, `“from”: “soon”. A day`,
				`“supervises”: “二队”. For supervisors only.`, `“external supervisor”: “是”. For supervisors only.`, "You can't take the role of coordinator from yourself"}},
	} {
		b.Open(here).Upload("Show the preview", webtest.Values("sort", one.sort), "file", "x.csv", []byte(one.file)).Is(http.StatusOK)
		for _, text := range one.says {
			if !strings.Contains(b.Text, text) {
				t.Errorf("%s: the preview does not say %q: %s", one.sort, text, b.Text)
			}
		}
		b.Do(http.MethodPost, b.At.Path, nil) // whoever sends the form that is not there
	}
	zh := b.Open(here+"?lang=zh").Upload("预览", webtest.Values("sort", "teams"), "file", "x.csv", []byte("名称,服务点\n四队,河边\n"))
	if zh.Sees("“服务点”：“河边”。没有服务点“河边”"); strings.Contains(zh.Text, `"`) {
		t.Errorf("says it in quotes of another language: %s", zh.Text)
	}
	if d := s.setUp(); len(d.Sites) != 2 || len(d.Teams) != 2 || len(d.Workers) != 1 {
		t.Error("something was imported")
	}
}

// TestImportRefusesFiles that are none, too large, or have nothing in them.
func TestImportRefusesFiles(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("en").Follow("Import a file")
	here := b.At.Path
	for says, file := range map[string]string{
		"This file is larger than 1 MiB.":     strings.Repeat("x", 1<<20+1),
		"larger than 1 MiB":                   strings.Repeat("x", 2<<20),
		"Choose a file.":                      "",
		"This is no text file.":               "PK\x03\x04\x00\xff\xff",
		"has no column “name”":                "code\n41\n",
		"Two columns say the same: “Site”":    "name,Site\nA,B\n",
		"The file has no row below":           "name\n",
		"The file has more than 2,000 rows":   "name\n" + strings.Repeat("x\n", 2001),
		"A quotation mark is out of place in": "name\n\"x",
	} {
		if b.Open(here).Upload("Show the preview", nil, "file", "x.csv", []byte(file)); b.Status != http.StatusUnprocessableEntity || !strings.Contains(b.Text, says) {
			t.Errorf("%d, and not %q: %s", b.Status, says, b.Text)
		}
	}
	b.Open(here).Follow("Empty file for Workers")
	if b.Status != http.StatusOK || !strings.Contains(b.Text, "name,role,team,by training") {
		t.Errorf("the template is %q", b.Text)
	}
}

// TestImportDoesWhatItsPreviewSaid, or nothing: the set-up may change in between.
func TestImportDoesWhatItsPreviewSaid(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("en")
	here := b.At.Path
	b.Open(here+"/import").Upload("Show the preview", webtest.Values("sort", "teams"), "file", "x.csv", []byte("name,site\n一队,小河镇\n五队,\n"))
	preview := b.At.Path
	b.Open(here).Follow("Add a team").Send("Save", webtest.Values("name", "五队")).Sees("Saved.")
	b.Open(preview)
	standing := b.Text
	b.Open(here).Follow("五队").Send("Save", webtest.Values("name", "六队")).Sees("Saved.")
	b.Do(http.MethodPost, preview, webtest.Values("plan", "of before"))
	b.Is(http.StatusUnprocessableEntity).Sees("The set-up was changed since this preview.")
	if !strings.Contains(standing, "To be added: 0 rows. To be changed: 1 row.") || !strings.Contains(b.Text, "To be added: 1 row. To be changed: 1 row.") {
		t.Errorf("the previews: %s / %s", standing, b.Text)
	}
	b.Send("Import", nil).Sees("Imported.")
	if len(s.setUp().Teams) != 4 {
		t.Errorf("there are %d teams", len(s.setUp().Teams))
	}
}

// TestImportOfManyRows: as many as may be, at once.
func TestImportOfManyRows(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("en")
	var file strings.Builder
	file.WriteString("name,team\n")
	for n := range 2000 {
		fmt.Fprintf(&file, "worker %d,一队\n", n)
	}
	b.Follow("Import a file").Upload("Show the preview", webtest.Values("sort", "workers"), "file", "x.csv", []byte(file.String())).Sees("To be added: 2,000 rows", "and 1,800 more rows")
	b.Send("Import", nil).Sees("Imported.")
	if n := len(s.setUp().Workers); n != 2001 {
		t.Errorf("there are %d workers", n)
	}
}
