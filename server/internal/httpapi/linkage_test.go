package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestTheLinkageKeyIsNotShown: no route shows it, to a coordinator, and no log line has it. There is a conflict about it,
// and a held change of it.
func TestTheLinkageKeyIsNotShown(t *testing.T) {
	s := newStage(t)
	s.furnish()
	key, conflict := s.LinkageKey(), s.LinkageConflict()
	mallory := s.Enrol("coordinator")
	mallory.Pull()
	other := slices.Concat(key[1:], key[:1])
	mallory.Push(mallory.Edit(s.ID, &recordv1.Deployment{Name: proto.String("x"), LinkageKey: other}))
	paths := []string{"/api/records/" + s.ID.String(), "/api/records/" + conflict.String()}
	for _, c := range matrix {
		if c.method != http.MethodGet {
			continue
		}
		path := c.path
		for name, value := range c.params {
			path = strings.Replace(path, ":"+name, s.fill.Replace(value), 1)
		}
		paths = append(paths, path+"?"+s.fill.Replace(c.query))
	}
	for _, path := range append(paths, "/metrics", "/api/openapi.json") {
		if !strings.Contains(path, "deployment=") && strings.HasPrefix(path, "/api/records/") {
			path += "?deployment=" + s.ID.String()
		}
		answer, body := s.get(path)
		for _, secret := range [][]byte{key, other} {
			if form := servertest.Shows(string(body), secret); form != "" {
				t.Errorf("%s shows it, %s: %s", path, form, body)
			}
		}
		if strings.HasPrefix(path, "/api/records/"+s.ID.String()) && answer.Status != http.StatusOK {
			t.Errorf("%s: %d, which shows nothing", path, answer.Status)
		}
	}
	if form := servertest.Shows(s.log.String(), key); form != "" {
		t.Errorf("the log has it, %s", form)
	}
}
