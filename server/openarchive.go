package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"levee/server/internal/accounts"
	"levee/server/internal/archive"
	"levee/server/internal/audit"
	"levee/server/internal/webui"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// OpenedArchive is an archive whose pages are served. Close it in the end.
type OpenedArchive struct {
	*Server
	// Link is a one-time link with which a browser is signed in as a reader.
	Link string

	folder string
}

// OpenArchive verifies an archive, and opens it so that its pages can be served at a URL. It runs on a copy in a temporary folder, in which
// it keeps the account of a reader, whose pages are in Chinese for a tag "zh…", else in English. Nothing is written to the archive or beside
// it, and the server refuses every deed.
func OpenArchive(ctx context.Context, file, url, lang string, log *slog.Logger) (_ *OpenedArchive, err error) {
	verified, err := archive.Verify(ctx, file)
	if err != nil {
		return nil, err
	}
	if !verified.OK || verified.Sort != archive.SortArchive {
		return nil, refuse(ArchiveNotSound, nil, file)
	}
	a := &OpenedArchive{}
	if a.folder, err = os.MkdirTemp("", "levee-archive-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	db := filepath.Join(a.folder, "levee.db")
	if err := archive.Unpack(ctx, file, db); err != nil {
		return nil, err
	}
	var keys keyFile // of its own: with the server's nothing is signed here
	if _, err := keys.complete(rand.Reader, hlc.Wall()); err != nil {
		return nil, err
	}
	if err := keys.write(db + ".keys"); err != nil {
		return nil, err
	}
	if a.Server, err = New(ctx, Config{DB: db, URL: url, Log: log, archive: &webui.Archive{Edition: verified.Edition, Made: verified.Made}}); err != nil {
		return nil, err
	}
	if err := a.Begin(ctx); err != nil {
		return nil, err
	}
	if err := a.SortedIn(ctx); err != nil {
		return nil, err
	}
	return a, a.letIn(ctx, verified.Deployment.ID, lang)
}

// letIn makes the account of a reader, who sees what a coordinator sees, and a link for it.
func (a *OpenedArchive) letIn(ctx context.Context, deployment hlc.ID, lang string) error {
	d := a.deployments.Get(deployment)
	if d == nil {
		return errNoDeployment
	}
	var coordinator hlc.ID
	for _, id := range d.Syncing.SetUp().WorkerIDs() {
		if d.Syncing.SetUp().Workers[id].GetRole() == recordv1.Role_ROLE_COORDINATOR {
			coordinator = id
		}
	}
	if coordinator == (hlc.ID{}) {
		return errors.New("the deployment has no coordinator, as whom it could be read")
	}
	secrets := make([]byte, 32)
	if _, err := io.ReadFull(rand.Reader, secrets); err != nil {
		return err
	}
	code, password := hex.EncodeToString(secrets[:16]), hex.EncodeToString(secrets[16:])
	invitation, err := a.accounts.Invite(ctx, audit.Actor{}, accounts.Invitation{Membership: accounts.Membership{Deployment: deployment, Worker: coordinator}})
	if err != nil {
		return err
	}
	reader := accounts.NewAccount{Login: "reader", Name: "archive reader", Password: password, Language: "en"}
	if chinese(lang) {
		reader.Name, reader.Language = "档案查阅", "zh"
	}
	if _, err := a.accounts.AcceptInvitation(ctx, invitation, reader); err != nil {
		return err
	}
	entrance := "/open/" + code
	a.Link = a.config.URL + entrance
	a.handler = a.entrance(entrance, accounts.SignIn{Login: reader.Login, Password: password}, "/deployments/"+deployment.String(), a.handler)
	return nil
}

// entrance signs in whoever asks for its address, once, and leads on.
func (a *OpenedArchive) entrance(at string, as accounts.SignIn, to string, next http.Handler) http.Handler {
	var mu sync.Mutex
	used := false
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		first := r.URL.Path == at && r.Method == http.MethodGet && !used
		used = used || first
		mu.Unlock()
		if !first {
			next.ServeHTTP(w, r)
			return
		}
		cookie, _, err := a.accounts.SignIn(r.Context(), as)
		if err != nil {
			a.config.Log.Error("signing the reader in", "error", err)
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		http.SetCookie(w, webui.Cookie(cookie))
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
}

// Close stops serving, and removes the copy.
func (a *OpenedArchive) Close() error {
	var errs []error
	if a.Server != nil {
		errs = append(errs, a.Server.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(a.folder))...)
}

// Welcome tells where an archive can be read, in Chinese for a tag "zh…", else in English.
func (a *OpenedArchive) Welcome(w io.Writer, lang string) error {
	text := "The archive was verified. Open this link to read it; it is good once:\n  %s\nCtrl-C ends it.\n"
	if chinese(lang) {
		text = "档案已通过核验。用浏览器打开此链接查阅（只能使用一次）：\n  %s\n按 Ctrl-C 结束。\n"
	}
	_, err := fmt.Fprintf(w, text, a.Link)
	return err
}
