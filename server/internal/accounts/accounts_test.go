package accounts_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/pquerna/otp/totp"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/journal"
	"levee/server/internal/servertest"
	"levee/server/internal/store"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

const password = "correct horse battery"

// cheap is enough to test with.
var cheap = accounts.Hashing{Memory: 64, Passes: 1, Lanes: 1}

type keys struct {
	sessions []accounts.SessionKey
	seal     []byte
}

func (k *keys) SessionKeys() []accounts.SessionKey { return k.sessions }
func (k *keys) SealKey() []byte                    { return k.seal }

// server is a service on a real store, with a clock that the test moves.
type server struct {
	*accounts.Service
	t *testing.T
	// at is the database's address, kept the path of the journal's file.
	at, kept string
	now      time.Time
	keys     *keys
	signing  ed25519.PrivateKey
	db       *store.DB
	journal  *journal.File
	hashing  accounts.Hashing
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newServer(t *testing.T) *server {
	t.Helper()
	folder := t.TempDir()
	s := &server{t: t, at: servertest.NewStore(t, filepath.Join(folder, "server.db")), kept: filepath.Join(folder, "server.db.journal"), now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), signing: newKey(t), hashing: cheap,
		keys: &keys{sessions: []accounts.SessionKey{{ID: "one", Key: newKey(t)}}, seal: make([]byte, 32)}}
	s.open()
	t.Cleanup(s.close)
	return s
}

func (s *server) open() {
	s.t.Helper()
	var err error
	if s.db, err = servertest.OpenStore(s.t.Context(), s.at); err != nil {
		s.t.Fatal(err)
	}
	if s.journal, err = journal.Open(s.kept, s.signing.Public().(ed25519.PublicKey)); err != nil {
		s.t.Fatal(err)
	}
	s.Service, err = accounts.Start(s.t.Context(), accounts.Config{Store: s.db, Keys: s.keys, Signing: s.signing, Journal: s.journal.Deployment(hlc.ID{}),
		Wall: func() time.Time { return s.now }, Entropy: rand.Reader, Hashing: s.hashing})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) close() {
	if err := errors.Join(s.db.Close(), s.journal.Close()); err != nil {
		s.t.Error(err)
	}
}

// copied is the database as it is; setBack puts it in place again, and leaves the journal.
func (s *server) copied() servertest.Copied {
	s.close()
	defer s.open()
	return servertest.CopyOf(s.t, s.at)
}

func (s *server) setBack(older servertest.Copied) {
	s.close()
	s.at = older.Put(s.t, s.at)
	s.open()
}

// stored are the bytes of all files of the database, and of the journal.
func (s *server) stored() string {
	kept, err := os.ReadFile(s.kept)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(servertest.StoredIn(s.t, s.at)) + string(kept)
}

// administrator makes the first account.
func (s *server) administrator() accounts.Account {
	s.t.Helper()
	code, err := s.SetUpCode(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := s.SetUp(s.t.Context(), code, accounts.NewAccount{Login: "admin", Name: "管理员", Password: password, Language: "zh"})
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// member makes an account that acts as a worker.
func (s *server) member(login string, m accounts.Membership) accounts.Account {
	s.t.Helper()
	code, err := s.Invite(s.t.Context(), audit.Actor{}, accounts.Invitation{Membership: m})
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := s.AcceptInvitation(s.t.Context(), code, accounts.NewAccount{Login: login, Name: login, Password: password})
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *server) signIn(login string) (string, accounts.Session) {
	s.t.Helper()
	cookie, v, err := s.SignIn(s.t.Context(), accounts.SignIn{Login: login, Password: password, Address: "192.0.2.1"})
	if err != nil {
		s.t.Fatal(err)
	}
	return cookie, v
}

func (s *server) good(cookie string) (renewed string) {
	s.t.Helper()
	_, renewed, err := s.Authenticate(s.t.Context(), cookie)
	if err != nil {
		s.t.Fatalf("the cookie is refused: %v", err)
	}
	return renewed
}

func (s *server) refused(cookie, why string) {
	s.t.Helper()
	if _, _, err := s.Authenticate(s.t.Context(), cookie); problem.CodeOf(err) != problem.Unauthenticated {
		s.t.Fatalf("%s: %v", why, err)
	}
}

func wants(t *testing.T, err error, code problem.Code) {
	t.Helper()
	if err == nil || problem.CodeOf(err) != code {
		t.Fatalf("wanted %s, got %v", code, err)
	}
}

func id(b byte) hlc.ID { return hlc.ID{15: b} }

// actions are those that the audit log has, oldest first.
func (s *server) actions(deployment hlc.ID) string {
	s.t.Helper()
	entries, _, err := audit.New(s.db, func() time.Time { return s.now }).Page(s.t.Context(), deployment, 0, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append([]string{string(e.Action)}, all...)
	}
	return strings.Join(all, " ")
}

func TestSetUpCodeMakesTheFirstAccountAndNoOther(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	first, err := s.SetUpCode(ctx)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.SetUpCode(ctx)
	if err != nil {
		t.Fatal(err)
	}
	n := accounts.NewAccount{Login: " Admin ", Name: "管理员", Password: password}
	_, err = s.SetUp(ctx, "AAAAA-AAAAA-AAAAA-AAAAA", n)
	wants(t, err, problem.LinkInvalid)
	_, err = s.AcceptInvitation(ctx, first, n)
	wants(t, err, problem.LinkInvalid) // a link of another sort
	a, err := s.SetUp(ctx, " "+strings.ToLower(strings.ReplaceAll(first, "-", " ")), n)
	if err != nil || !a.Administrator || a.Login != "admin" {
		t.Fatal(a, err)
	}
	for _, code := range []string{first, second} {
		_, err = s.SetUp(ctx, code, accounts.NewAccount{Login: "other", Name: "x", Password: password})
		wants(t, err, problem.LinkInvalid)
	}
	if _, err := s.SetUpCode(ctx); problem.CodeOf(err) != problem.LinkInvalid {
		t.Error("a set-up code was made though there is an account", err)
	}
	if needs, err := s.NeedsSetUp(ctx); err != nil || needs {
		t.Error(needs, err)
	}
}

func TestSetUpCodeExpires(t *testing.T) {
	s := newServer(t)
	code, err := s.SetUpCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(accounts.SetUpLife)
	_, err = s.SetUp(t.Context(), code, accounts.NewAccount{Login: "admin", Name: "x", Password: password})
	wants(t, err, problem.LinkInvalid)
}

func TestInvitations(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	admin := s.administrator()
	m := accounts.Membership{Deployment: id(1), Worker: id(2)}
	code, err := s.Invite(ctx, audit.Actor{Account: admin.ID}, accounts.Invitation{Membership: m})
	if err != nil {
		t.Fatal(err)
	}
	for _, weak := range []string{"short", "1234567890", "aaaaaaaaaaaa", "lina-lina-lina", strings.Repeat("abcdefgh", 30)} {
		_, err := s.AcceptInvitation(ctx, code, accounts.NewAccount{Login: "lina", Name: "李娜", Password: weak})
		wants(t, err, problem.PasswordWeak)
	}
	_, err = s.AcceptInvitation(ctx, code, accounts.NewAccount{Login: "admin", Name: "李娜", Password: password})
	wants(t, err, problem.LoginTaken)
	a, err := s.AcceptInvitation(ctx, code, accounts.NewAccount{Login: "lina", Name: "李娜", Password: password})
	if err != nil || a.Administrator || a.In(id(1)) != id(2) {
		t.Fatal(a, err)
	}
	_, err = s.AcceptInvitation(ctx, code, accounts.NewAccount{Login: "again", Name: "x", Password: password})
	wants(t, err, problem.LinkInvalid)
	_, err = s.Invite(ctx, audit.Actor{}, accounts.Invitation{Membership: m})
	wants(t, err, problem.MemberTaken)

	// Who has an account joins with it, and is one worker in each deployment.
	_, session := s.signIn("lina")
	code, _ = s.Invite(ctx, audit.Actor{}, accounts.Invitation{Administrator: true, Membership: accounts.Membership{Deployment: id(3), Worker: id(4)}})
	if err := s.JoinInvitation(ctx, code, session); err != nil {
		t.Fatal(err)
	}
	if a, err = s.Account(ctx, a.ID); err != nil || !a.Administrator || a.In(id(3)) != id(4) || a.In(id(1)) != id(2) {
		t.Fatal(a, err)
	}
	code, _ = s.Invite(ctx, audit.Actor{}, accounts.Invitation{Membership: accounts.Membership{Deployment: id(3), Worker: id(5)}})
	wants(t, s.JoinInvitation(ctx, code, session), problem.MemberTaken)
	s.now = s.now.Add(accounts.InvitationLife)
	_, err = s.LookLink(ctx, code)
	wants(t, err, problem.LinkInvalid)
}

func TestSigningIn(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	s.administrator()
	for _, in := range []accounts.SignIn{{Login: "nobody", Password: password}, {Login: "admin", Password: "wrong wrong wrong"}, {Login: "admin"}, {Login: "admin", Password: strings.Repeat("x", 1<<20)}} {
		_, _, err := s.SignIn(ctx, in)
		wants(t, err, problem.SignInFailed)
	}
	_, v, err := s.SignIn(ctx, accounts.SignIn{Login: "ADMIN", Password: password})
	if err != nil || v.Account.Login != "admin" {
		t.Fatal(v, err)
	}
	if got := s.actions(hlc.ID{}); got != "account_made administrator_made sign_in_failed sign_in_failed sign_in_failed signed_in" {
		t.Error(got)
	}
}

func TestHashesAreBroughtUpToDate(t *testing.T) {
	s := newServer(t)
	s.administrator()
	s.hashing = accounts.Hashing{Memory: 128, Passes: 2, Lanes: 1}
	s.close()
	s.open()
	s.signIn("admin")
	if err := s.db.ReadAccounts(t.Context(), func(tx accounts.Reading) error {
		a, _, err := tx.AccountByLogin("admin")
		if !strings.HasPrefix(a.Password, "$argon2id$v=19$m=128,t=2,p=1$") {
			t.Error(a.Password)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.signIn("admin")
}

func TestSigningInIsThrottled(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	s.administrator()
	attempt := func(login, address string) error {
		_, _, err := s.SignIn(ctx, accounts.SignIn{Login: login, Password: "wrong wrong wrong", Address: address})
		return err
	}
	for range 5 {
		wants(t, attempt("admin", "192.0.2.1"), problem.SignInFailed)
	}
	var p *problem.Problem
	err := attempt("admin", "192.0.2.9") // by login
	if !errors.As(err, &p) || p.Code != problem.TooManyRequests || p.RetryAfter != time.Second {
		t.Fatal(err)
	}
	err = attempt("other", "192.0.2.1") // by address
	wants(t, err, problem.TooManyRequests)
	s.now = s.now.Add(time.Second)
	wants(t, attempt("admin", "192.0.2.1"), problem.SignInFailed)
	if err := attempt("admin", "192.0.2.1"); !errors.As(err, &p) || p.RetryAfter != 2*time.Second {
		t.Fatal("the wait does not grow", err)
	}
	// The owner of a login that others try is not kept out for long.
	for range 30 {
		s.now = s.now.Add(time.Minute)
		wants(t, attempt("admin", "198.51.100.1"), problem.SignInFailed)
		s.now = s.now.Add(15 * time.Minute)
	}
	s.now = s.now.Add(time.Minute)
	if _, _, err := s.SignIn(ctx, accounts.SignIn{Login: "admin", Password: password, Address: "203.0.113.5"}); err != nil {
		t.Fatal("the owner is kept out", err)
	}
	// All addresses of a network of IPv6 are one.
	s.now = s.now.Add(24 * time.Hour)
	for i := range 5 {
		wants(t, attempt("n"+string(rune('a'+i)), "2001:db8::"+string(rune('1'+i))), problem.SignInFailed)
	}
	wants(t, attempt("nz", "2001:db8::99"), problem.TooManyRequests)
}

func TestManyAttemptsAtOnceCount(t *testing.T) {
	s := newServer(t)
	s.administrator()
	var mu sync.Mutex
	var tried, waits int
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			_, _, err := s.SignIn(context.Background(), accounts.SignIn{Login: "admin", Password: "wrong wrong wrong", Address: "192.0.2.1"})
			mu.Lock()
			defer mu.Unlock()
			if problem.CodeOf(err) == problem.TooManyRequests {
				waits++
			} else {
				tried++
			}
		})
	}
	all.Wait()
	if tried != 5 || waits != 35 {
		t.Errorf("%d were tried, %d had to wait", tried, waits)
	}
}

func TestTimeCodes(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	s.administrator()
	cookie, v := s.signIn("admin")
	other, _ := s.signIn("admin")
	secret, err := s.BeginTOTP(ctx, v)
	if err != nil {
		t.Fatal(err)
	}
	code := func() string {
		c, err := totp.GenerateCode(secret.Text, s.now)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	s.signIn("admin") // it is not asked for before it was confirmed
	wants(t, s.ConfirmTOTP(ctx, v, "000000"), problem.SignInFailed)
	if err := s.ConfirmTOTP(ctx, v, code()); err != nil {
		t.Fatal(err)
	}
	s.good(cookie)
	s.refused(other, "a session of before the time code")
	in := accounts.SignIn{Login: "admin", Password: password}
	_, _, err = s.SignIn(ctx, in)
	wants(t, err, problem.TimeCodeNeeded)
	in.TOTP = code()
	_, _, err = s.SignIn(ctx, in)
	wants(t, err, problem.SignInFailed) // it was used to confirm
	s.now = s.now.Add(30 * time.Second)
	in.TOTP = code()
	if _, _, err = s.SignIn(ctx, in); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.SignIn(ctx, in)
	wants(t, err, problem.SignInFailed) // twice
	in.Password = "wrong wrong wrong"
	s.now = s.now.Add(30 * time.Second)
	in.TOTP = code()
	_, _, err = s.SignIn(ctx, in)
	wants(t, err, problem.SignInFailed)

	// Who has the database without the keys has no time codes.
	if err := s.db.ReadAccounts(ctx, func(tx accounts.Reading) error {
		a, _, err := tx.AccountByLogin("admin")
		if len(a.Secret) < 20+24+16 || strings.Contains(string(a.Secret), secret.Text) {
			t.Errorf("%x", a.Secret)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	wants(t, s.DropTOTP(ctx, v, "wrong wrong wrong"), problem.SignInFailed)
	if err := s.DropTOTP(ctx, v, password); err != nil {
		t.Fatal(err)
	}
	s.signIn("admin")
}

// Whoever knows the password must not clear the count of wrong time codes by leaving the code out.
func TestTimeCodesCantBeTriedOut(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	s.administrator()
	_, v := s.signIn("admin")
	secret, err := s.BeginTOTP(ctx, v)
	if err != nil {
		t.Fatal(err)
	}
	code, _ := totp.GenerateCode(secret.Text, s.now)
	if err := s.ConfirmTOTP(ctx, v, code); err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for i := range 40 {
		in := accounts.SignIn{Login: "admin", Password: password, Address: "192.0.2." + string(rune('0'+i%8))}
		if i%2 == 0 {
			in.TOTP = "000000"
		}
		if _, _, err := s.SignIn(ctx, in); problem.CodeOf(err) == problem.SignInFailed {
			wrong++
		}
	}
	if wrong > 5 {
		t.Errorf("%d time codes were tried at once", wrong)
	}
}

func TestSessionsEnd(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	s.administrator()
	cookie, v := s.signIn("admin")
	other, _ := s.signIn("admin")
	third, _ := s.signIn("admin")
	if all, err := s.Sessions(ctx, v.Account.ID); err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	if err := s.SignOut(ctx, v); err != nil {
		t.Fatal(err)
	}
	s.refused(cookie, "after signing out")
	s.good(other)
	got, _, err := s.Authenticate(ctx, third)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SignOutOthers(ctx, got); err != nil {
		t.Fatal(err)
	}
	s.refused(other, "ended from another session")
	s.good(third)

	s.now = s.now.Add(accounts.SessionIdle)
	s.refused(third, "unused for long")
	cookie, _ = s.signIn("admin")
	for range 7*24 - 1 {
		s.now = s.now.Add(time.Hour)
		if renewed := s.good(cookie); renewed != "" {
			cookie = renewed
		}
	}
	s.now = s.now.Add(time.Hour)
	s.refused(cookie, "older than a week")
}

func TestCookiesAreReplaced(t *testing.T) {
	s := newServer(t)
	s.administrator()
	first, _ := s.signIn("admin")
	s.now = s.now.Add(4 * time.Minute)
	if renewed := s.good(first); renewed != "" {
		t.Error("replaced too early")
	}
	s.now = s.now.Add(2 * time.Minute)
	second := s.good(first)
	if second == "" {
		t.Fatal("never replaced")
	}
	// The answer was lost, or a second request ran beside the first: the one before is still good, and the new one comes again.
	s.now = s.now.Add(30 * time.Second)
	again := s.good(first)
	if again == "" {
		t.Fatal("the new cookie is not given again")
	}
	s.good(again)
	s.good(second)
	// Later it is somebody else's: the session ends for both, and that is noted.
	s.now = s.now.Add(31 * time.Second)
	s.refused(first, "replaced long ago")
	s.refused(second, "of a session that two had")
	if got := s.actions(hlc.ID{}); !strings.HasSuffix(got, "session_replayed") {
		t.Error(got)
	}
}

func TestForgedCookies(t *testing.T) {
	s := newServer(t)
	s.administrator()
	cookie, _ := s.signIn("admin")
	parts := strings.Split(cookie, ".")
	encode := base64.RawURLEncoding.EncodeToString
	public := s.keys.sessions[0].Key.Public().(ed25519.PublicKey)
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	hs := func(key []byte) string {
		text := encode([]byte(`{"alg":"HS256","typ":"JWT","kid":"one"}`)) + "." + parts[1]
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return text + "." + encode(mac.Sum(nil))
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	signed := func(kid string, key ed25519.PrivateKey, change func(jwt.MapClaims)) string {
		claims := jwt.MapClaims{}
		if err := json.Unmarshal(payload, &claims); err != nil {
			t.Fatal(err)
		}
		change(claims)
		token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
		token.Header["kid"] = kid
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	same := func(jwt.MapClaims) {}
	s.good(signed("one", s.keys.sessions[0].Key, same)) // what follows differs in one thing from what is good
	for why, forged := range map[string]string{
		"nothing":                             "",
		"no JWT":                              "levee",
		"without a signature":                 parts[0] + "." + parts[1] + ".",
		"alg none":                            encode([]byte(`{"alg":"none","typ":"JWT","kid":"one"}`)) + "." + parts[1] + ".",
		"HMAC with the public key":            hs(public),
		"HMAC with the encoded public key":    hs(spki),
		"another key":                         signed("one", newKey(t), same),
		"a key that is not there":             signed("two", s.keys.sessions[0].Key, same),
		"the key that signs for tablets":      signed("one", s.signing, same),
		"another audience":                    signed("one", s.keys.sessions[0].Key, func(c jwt.MapClaims) { c["aud"] = "levee" }),
		"no audience":                         signed("one", s.keys.sessions[0].Key, func(c jwt.MapClaims) { delete(c, "aud") }),
		"expired":                             signed("one", s.keys.sessions[0].Key, func(c jwt.MapClaims) { c["exp"] = s.now.Add(-time.Second).Unix() }),
		"without an end":                      signed("one", s.keys.sessions[0].Key, func(c jwt.MapClaims) { delete(c, "exp") }),
		"another session":                     signed("one", s.keys.sessions[0].Key, func(c jwt.MapClaims) { c["sid"] = "AAAA" }),
		"a cookie that was not given out yet": signed("one", s.keys.sessions[0].Key, func(c jwt.MapClaims) { c["gen"] = 2 }),
	} {
		s.refused(forged, why)
	}
	s.good(cookie)
}

func TestKeysAreRotated(t *testing.T) {
	s := newServer(t)
	s.administrator()
	cookie, _ := s.signIn("admin")
	s.keys.sessions = append([]accounts.SessionKey{{ID: "two", Key: newKey(t)}}, s.keys.sessions...)
	s.good(cookie)
	s.now = s.now.Add(10 * time.Minute)
	renewed := s.good(cookie)
	s.keys.sessions = s.keys.sessions[:1]
	s.good(renewed)
	s.refused(cookie, "signed with a key that was dropped")
}

func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	s.administrator()
	cookie, v := s.signIn("admin")
	other, _ := s.signIn("admin")
	wants(t, s.ChangePassword(ctx, v, "wrong wrong wrong", "another good one"), problem.SignInFailed)
	wants(t, s.ChangePassword(ctx, v, password, "short"), problem.PasswordWeak)
	if err := s.ChangePassword(ctx, v, password, "another good one"); err != nil {
		t.Fatal(err)
	}
	s.good(cookie)
	s.refused(other, "after the password changed")
	_, _, err := s.SignIn(ctx, accounts.SignIn{Login: "admin", Password: password})
	wants(t, err, problem.SignInFailed)
	if _, _, err = s.SignIn(ctx, accounts.SignIn{Login: "admin", Password: "another good one"}); err != nil {
		t.Fatal(err)
	}
}

func TestDisabledAccounts(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	admin := s.administrator()
	m := accounts.Membership{Deployment: id(1), Worker: id(2)}
	lina := s.member("lina", m)
	cookie, v := s.signIn("lina")
	text, _, err := s.NewToken(ctx, v.Actor(id(1)), accounts.NewToken{Name: "x", Account: lina.ID, Membership: m, Scopes: []accounts.Scope{accounts.ScopeRead}, Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, s.Disable(ctx, audit.Actor{}, admin.ID), problem.LastAdministrator)
	wants(t, s.SetAdministrator(ctx, audit.Actor{}, admin.ID, false), problem.LastAdministrator)
	if err := s.Disable(ctx, audit.Actor{Account: admin.ID}, lina.ID); err != nil {
		t.Fatal(err)
	}
	s.refused(cookie, "of a disabled account")
	_, err = s.AuthenticateToken(ctx, text)
	wants(t, err, problem.Unauthenticated)
	_, _, err = s.SignIn(ctx, accounts.SignIn{Login: "lina", Password: password})
	wants(t, err, problem.SignInFailed)
	if err := s.Enable(ctx, audit.Actor{Account: admin.ID}, lina.ID); err != nil {
		t.Fatal(err)
	}
	s.refused(cookie, "that was ended when the account was disabled")
	s.signIn("lina")
	if _, err = s.AuthenticateToken(ctx, text); err != nil {
		t.Error(err)
	}
}

func TestResetLinks(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	admin := s.administrator()
	cookie, v := s.signIn("admin")
	secret, err := s.BeginTOTP(ctx, v)
	if err != nil {
		t.Fatal(err)
	}
	totpCode, _ := totp.GenerateCode(secret.Text, s.now)
	if err := s.ConfirmTOTP(ctx, v, totpCode); err != nil {
		t.Fatal(err)
	}
	_, err = s.ResetCodeFor(ctx, "nobody")
	wants(t, err, problem.NotFound)
	code, err := s.ResetCodeFor(ctx, "Admin")
	if err != nil {
		t.Fatal(err)
	}
	s.good(cookie)
	if err := s.Reset(ctx, code, "another good one"); err != nil {
		t.Fatal(err)
	}
	s.refused(cookie, "after a reset")
	wants(t, s.Reset(ctx, code, "yet another good one"), problem.LinkInvalid)
	_, got, err := s.SignIn(ctx, accounts.SignIn{Login: "admin", Password: "another good one"})
	if err != nil || got.Account.ID != admin.ID || got.Account.TOTP {
		t.Fatal(got, err)
	}
}

func TestAPITokens(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	s.administrator()
	m := accounts.Membership{Deployment: id(1), Worker: id(2)}
	lina := s.member("lina", m)
	_, v := s.signIn("lina")
	n := accounts.NewToken{Name: "report", Account: lina.ID, Membership: m, Scopes: []accounts.Scope{accounts.ScopeRead}, Life: 30 * 24 * time.Hour}
	for _, change := range []func(*accounts.NewToken){
		func(n *accounts.NewToken) { n.Name = " " }, func(n *accounts.NewToken) { n.Scopes = nil }, func(n *accounts.NewToken) { n.Scopes = []accounts.Scope{"all"} },
		func(n *accounts.NewToken) { n.Life = 0 }, func(n *accounts.NewToken) { n.Life = 400 * 24 * time.Hour },
	} {
		wrong := n
		change(&wrong)
		_, _, err := s.NewToken(ctx, v.Actor(id(1)), wrong)
		wants(t, err, problem.InvalidArgument)
	}
	of := n
	of.Worker = id(9)
	_, _, err := s.NewToken(ctx, v.Actor(id(1)), of)
	wants(t, err, problem.NotFound) // as somebody else
	text, token, err := s.NewToken(ctx, v.Actor(id(1)), n)
	if err != nil || !strings.HasPrefix(text, "levee_") {
		t.Fatal(text, err)
	}
	got, err := s.AuthenticateToken(ctx, text)
	if err != nil || got.ID != token.ID || got.Worker != id(2) || !got.May(accounts.ScopeRead) || got.May(accounts.ScopeDecide) {
		t.Fatal(got, err)
	}
	for _, wrong := range []string{"", text + "x", "levee_", strings.TrimPrefix(text, "levee_")} {
		_, err = s.AuthenticateToken(ctx, wrong)
		wants(t, err, problem.Unauthenticated)
	}
	if strings.Contains(s.stored(), text) {
		t.Error("the token is stored")
	}
	if all, err := s.Tokens(ctx, lina.ID); err != nil || len(all) != 1 || all[0].Used.IsZero() {
		t.Fatal(all, err)
	}
	if err := s.RevokeToken(ctx, v.Actor(id(1)), lina.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.AuthenticateToken(ctx, text)
	wants(t, err, problem.Unauthenticated)
	wants(t, s.RevokeToken(ctx, v.Actor(id(1)), lina.ID, token.ID), problem.NotFound)

	text, _, _ = s.NewToken(ctx, v.Actor(id(1)), n)
	s.now = s.now.Add(n.Life)
	_, err = s.AuthenticateToken(ctx, text)
	wants(t, err, problem.Unauthenticated) // expired

	text, _, _ = s.NewToken(ctx, v.Actor(id(1)), n)
	if err := s.RemoveMembership(ctx, audit.Actor{}, lina.ID, id(1)); err != nil {
		t.Fatal(err)
	}
	_, err = s.AuthenticateToken(ctx, text)
	wants(t, err, problem.Unauthenticated) // no member any more
	if err := s.AddMembership(ctx, audit.Actor{}, lina.ID, m); err != nil {
		t.Fatal(err)
	}
	_, err = s.AuthenticateToken(ctx, text)
	wants(t, err, problem.Unauthenticated) // nor does it come to life again
	if got := s.actions(id(1)); !strings.HasSuffix(got, "token_made token_revoked token_revoked membership_removed membership_added") {
		t.Error(got)
	}
}

// TestRestoreForgetsNothing: a database that was set back lets nobody in who was shut out since.
func TestRestoreForgetsNothing(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	admin := s.administrator()
	m := accounts.Membership{Deployment: id(1), Worker: id(2)}
	lina, wang, chen := s.member("lina", m), s.member("wang", accounts.Membership{Deployment: id(1), Worker: id(3)}), s.member("chen", accounts.Membership{Deployment: id(1), Worker: id(4)})
	signedOut, v := s.signIn("admin")
	stays, _ := s.signIn("admin")
	linas, linaSession := s.signIn("lina")
	text, token, err := s.NewToken(ctx, v.Actor(id(1)), accounts.NewToken{Name: "x", Membership: m, Scopes: []accounts.Scope{accounts.ScopeRead}, Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	invitation, err := s.Invite(ctx, audit.Actor{}, accounts.Invitation{Administrator: true})
	if err != nil {
		t.Fatal(err)
	}
	older := s.copied()

	s.now = s.now.Add(time.Minute)
	if err := errors.Join(s.SignOut(ctx, v), s.ChangePassword(ctx, linaSession, password, "another good one"), s.Disable(ctx, audit.Actor{Account: admin.ID}, wang.ID),
		s.RevokeTokenOf(ctx, audit.Actor{}, id(1), token.ID), s.RemoveMembership(ctx, audit.Actor{}, chen.ID, id(1)), s.JoinInvitation(ctx, invitation, linaSession)); err != nil {
		t.Fatal(err)
	}
	s.setBack(older)
	s.now = s.now.Add(time.Minute)

	s.refused(signedOut, "signed out before the restore")
	s.good(stays)
	s.good(linas)
	_, _, err = s.SignIn(ctx, accounts.SignIn{Login: "lina", Password: password, Address: "192.0.2.2"})
	wants(t, err, problem.SignInFailed)
	if _, _, err = s.SignIn(ctx, accounts.SignIn{Login: "lina", Password: "another good one", Address: "192.0.2.2"}); err != nil {
		t.Error("the newer password is gone", err)
	}
	_, _, err = s.SignIn(ctx, accounts.SignIn{Login: "wang", Password: password, Address: "192.0.2.2"})
	wants(t, err, problem.SignInFailed)
	_, err = s.AuthenticateToken(ctx, text)
	wants(t, err, problem.Unauthenticated)
	_, err = s.LookLink(ctx, invitation)
	wants(t, err, problem.LinkInvalid)
	if a, err := s.Account(ctx, chen.ID); err != nil || len(a.Memberships) != 0 {
		t.Error(a, err)
	}
	if a, err := s.Account(ctx, lina.ID); err != nil || a.Administrator || a.In(id(1)) != id(2) {
		t.Error(a, err)
	}
	// What is granted anew after that stays through the next start.
	s.now = s.now.Add(time.Minute)
	if err := errors.Join(s.AddMembership(ctx, audit.Actor{}, chen.ID, accounts.Membership{Deployment: id(1), Worker: id(4)}), s.Enable(ctx, audit.Actor{}, wang.ID)); err != nil {
		t.Fatal(err)
	}
	s.close()
	s.open()
	if a, err := s.Account(ctx, chen.ID); err != nil || a.In(id(1)) != id(4) {
		t.Error(a, err)
	}
	s.signIn("wang")
}

// TestNothingSecretIsKept searches the files for what only people and cookies may hold.
func TestNothingSecretIsKept(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	s.administrator()
	cookie, v := s.signIn("admin")
	secret, err := s.BeginTOTP(ctx, v)
	if err != nil {
		t.Fatal(err)
	}
	code, err := s.ResetCode(ctx, v.Actor(hlc.ID{}), v.Account.ID)
	if err != nil {
		t.Fatal(err)
	}
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(cookie, ".")[1])
	var claims struct{ Sid string }
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Sid == "" {
		t.Fatal(err)
	}
	stored := s.stored()
	for what, text := range map[string]string{"password": password, "session": claims.Sid, "secret": secret.Text, "code": code, "plain code": strings.ReplaceAll(code, "-", "")} {
		if strings.Contains(stored, text) {
			t.Errorf("the %s is stored", what)
		}
	}
}
