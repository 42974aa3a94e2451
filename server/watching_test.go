package server_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"levee/server"
)

var measureName = regexp.MustCompile(`\blevee_[a-z_]+`)

// The rules for Prometheus, and the README, name measures that there are.
func TestMeasuresThatAreNamedAreThere(t *testing.T) {
	s, err := server.New(t.Context(), server.Config{DB: filepath.Join(t.TempDir(), "server.db"), URL: "http://localhost", Backups: server.Backups{Dir: t.TempDir()},
		SetUp: &server.SetUp{Name: "鹤壁", Start: "2021-09-23"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	h := httptest.NewServer(s.Handler())
	defer h.Close()
	get(t, h.URL+"/healthz", "")
	there := map[string]bool{"levee_alert_messages_total": true} // once a message was tried
	for line := range strings.Lines(get(t, h.URL+"/metrics", "")) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(strings.TrimSpace(name), " ")
			there[name] = true
			for _, suffix := range []string{"_count", "_sum", "_bucket"} {
				there[name+suffix] = there[name+suffix] || kind == "histogram"
			}
		}
	}
	rules, err := os.ReadFile("prometheus-alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, watching, _ := strings.Cut(string(readme), "\n## Watching it\n")
	watching, _, _ = strings.Cut(watching, "\n## ")
	for where, text := range map[string]string{"the rules": string(rules), "the README": watching} {
		names := measureName.FindAllString(text, -1)
		if len(names) < 10 {
			t.Errorf("%s name %v", where, names)
		}
		for _, name := range names {
			if !there[name] {
				t.Errorf("%s name %s, which is not there", where, name)
			}
		}
	}
	for name := range there {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_count"), "_sum"), "_bucket")
		if strings.HasPrefix(name, "levee_") && !strings.Contains(watching, base) {
			t.Errorf("the README does not tell of %s", name)
		}
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions(rules, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	alerts := 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			alerts++
			if rule.Alert == "" || rule.Expr == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["action"] == "" ||
				strings.Count(rule.Expr, "(") != strings.Count(rule.Expr, ")") {
				t.Errorf("half a rule: %+v", rule)
			}
		}
	}
	if alerts < 5 {
		t.Errorf("only %d rules", alerts)
	}
}
