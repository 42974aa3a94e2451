package tabletui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"levee/clientlib"
	"levee/clientlib/internal/fakeserver"
)

// root is the element of the whole page.
func (a *answer) root() *html.Node {
	for n := range a.html.Descendants() {
		if n.Data == "html" && n.Type == html.ElementNode {
			return n
		}
	}
	return nil
}

func TestSettingsTakeEffectAtOnce(t *testing.T) {
	tab := newTablet(t)
	tab.sync()
	tab.get("/settings").says("王芳", "队员", "一队", "http://levee.test").press("特大", nil).leads("/settings?done=set")
	tab.get("/settings").press("高，阳光下用", nil)
	tab.get("/settings").press("照常同步", nil)
	page := tab.get("/settings?done=set").says("已设置。")
	if root := page.root(); attribute(root, "data-text") != "larger" || attribute(root, "data-contrast") != "high" {
		t.Errorf("the page is %v", root.Attr)
	}
	if s := readSettings(tab.desk().path); !s.Metered || s.Text != "larger" {
		t.Errorf("kept: %+v", s)
	}
	page.press("English", nil)
	tab.get("/settings").says("Text size", "Field worker").press("Normal", nil) // the first: of the text
	tab.restart()
	if root := tab.get("/settings").says("Settings").root(); attribute(root, "data-text") != "" || attribute(root, "data-contrast") != "high" {
		t.Errorf("the page is %v", root.Attr)
	}
}

func TestTheSiteIsChosen(t *testing.T) {
	tab := newTablet(t)
	tab.sync()
	page := tab.get("/settings").says("您自己的服务点（王庄镇）")
	page.press("确定", url.Values{"site": {fakeserver.Xiaohe.String()}}).leads("/settings?done=set")
	tab.get("/").says("小河镇").silent("王庄镇")
	if st, err := tab.store().Status(t.Context()); err != nil || st.Site != fakeserver.Xiaohe {
		t.Errorf("site %v, %v", st.Site, err)
	}
	page.press("确定", url.Values{"site": {""}})
	tab.get("/").says("王庄镇")
	if a := tab.post("/settings", url.Values{"site": {fakeserver.TeamA.String()}}); a.StatusCode != http.StatusConflict {
		t.Errorf("no site: status %d", a.StatusCode)
	}
}

func TestThePINIsChanged(t *testing.T) {
	tab := newTablet(t)
	page := tab.get("/settings")
	const next = "804613"
	change := func(old, pin, again string) *answer {
		t.Helper()
		return page.press("更改 PIN", url.Values{"old": {old}, "pin": {pin}, "again": {again}})
	}
	change(thePIN, next, "804614").says("两次输入的 PIN 不一样")
	change(thePIN, "111111", "111111").says(clientlib.Message(&clientlib.Error{Code: clientlib.CodeKeyWeak}, "zh"))
	if wrong := change("000001", next, next).says("PIN 不对"); wrong.StatusCode != http.StatusUnprocessableEntity || strings.Contains(wrong.text, next) {
		t.Errorf("status %d: %s", wrong.StatusCode, wrong.text)
	}
	change(thePIN, next, next).leads("/settings?done=pin")
	tab.post("/lock", nil)
	if a := tab.post("/sign-in", url.Values{"profile": {"王芳"}, "pin": {thePIN}}); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the old PIN: status %d", a.StatusCode)
	}
	tab.later(5e9)
	tab.post("/sign-in", url.Values{"profile": {"王芳"}, "pin": {next}}).leads("/")
}
