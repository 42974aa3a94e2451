package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// visitor is somebody on the web, signed in as the deployment's coordinator.
type visitor struct {
	handler    http.Handler
	cookie     string
	deployment string
}

// ask asks for a page, or sends a form, and follows where that leads to.
func (v *visitor) ask(ctx context.Context, method, to string, form url.Values) (string, error) {
	for range 5 {
		r := httptest.NewRequestWithContext(ctx, method, to, strings.NewReader(form.Encode()))
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Accept-Language", "zh-CN")
		r.Header.Set("Cookie", v.cookie)
		answer := httptest.NewRecorder()
		v.handler.ServeHTTP(answer, r)
		for _, c := range answer.Result().Cookies() {
			v.cookie = c.Name + "=" + c.Value
		}
		switch answer.Code {
		case http.StatusOK:
			return answer.Body.String(), nil
		case http.StatusSeeOther:
			method, to, form = http.MethodGet, answer.Header().Get("Location"), nil
		default:
			return "", fmt.Errorf("%s %s: status %d", method, to, answer.Code)
		}
	}
	return "", fmt.Errorf("%s leads round and round", to)
}

// timed is how long the server works on a page, or on searching for words.
func (v *visitor) timed(ctx context.Context, to, words string) (took time.Duration, size int, err error) {
	method, form := http.MethodGet, url.Values(nil)
	if words != "" {
		method, form = http.MethodPost, url.Values{"q": {words}}
	}
	began := time.Now()
	page, err := v.ask(ctx, method, to, form)
	return time.Since(began), len(page), err
}

var (
	deploymentPath = regexp.MustCompile(`/deployments/([0-9a-f-]{36})`)
	invitationForm = regexp.MustCompile(`/deployments/[0-9a-f-]{36}/workers/[0-9a-f-]{36}/invitation`)
	codeOfLink     = regexp.MustCompile(`/invitation#([0-9A-Z-]+)`)
)

const password = "a password of the bench, nowhere else"

// signIn makes the first account of a server and lets it act as the deployment's coordinator.
func (s *scene) signIn(ctx context.Context) (*visitor, error) {
	v := &visitor{handler: s.server.Handler()}
	link, err := s.server.SetUpLink(ctx)
	if err != nil {
		return nil, err
	}
	_, code, _ := strings.Cut(link, "#")
	home, err := v.ask(ctx, http.MethodPost, "/set-up", url.Values{"code": {code}, "name": {coordinator}, "login": {coordinator}, "password": {password}, "again": {password}, "language": {"zh"}})
	if err != nil {
		return nil, err
	}
	found := deploymentPath.FindStringSubmatch(home)
	if found == nil {
		return nil, fmt.Errorf("the first page names no deployment")
	}
	v.deployment = found[1]
	people, err := v.ask(ctx, http.MethodGet, v.in("/people"), nil)
	if err != nil {
		return nil, err
	}
	shown, err := v.ask(ctx, http.MethodPost, invitationForm.FindString(people), nil) // that of the coordinator alone is offered
	if err != nil {
		return nil, err
	}
	invited := codeOfLink.FindStringSubmatch(shown)
	if invited == nil {
		return nil, fmt.Errorf("the invitation shows no code")
	}
	_, err = v.ask(ctx, http.MethodPost, "/invitation/join", url.Values{"code": {invited[1]}})
	return v, err
}

// in is a path within the deployment.
func (v *visitor) in(path string) string {
	if strings.HasPrefix(path, "/api/") { // there is one deployment, which need not be named
		return path
	}
	return "/deployments/" + v.deployment + path
}
