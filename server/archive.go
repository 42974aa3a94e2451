package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"levee/server/internal/archive"
	"levee/server/internal/database"
	"levee/syncproto/hlc"
)

// ArchiveOptions say what is archived.
type ArchiveOptions struct {
	// Keys is the path of the server's keys; that of the database with ".keys" when empty.
	Keys string
	// Deployment is which one; it may be left out where there is only one.
	Deployment string
	// Wall tells the time: hlc.Wall when nil.
	Wall func() time.Time
	// Progress is told of each step, and within some how much is done, of how much; nil for nobody.
	Progress func(step ArchiveStep, done, of uint64)
}

// ArchiveStep is a part of writing an archive.
type ArchiveStep = archive.Step

// Archived is an archive that was written.
type Archived struct {
	File       string    `json:"file"`
	Deployment hlc.ID    `json:"deployment"`
	Edition    int       `json:"edition"`
	Made       time.Time `json:"made"`
	Bytes      int64     `json:"bytes"`
	Changes    int       `json:"changes"`
}

// Archive writes the archive of a closed deployment, beside a running server or without. It is without personal data of clients, whatever
// the database has of it still. A file that is there is replaced once the new one is whole.
func Archive(ctx context.Context, db, file string, o ArchiveOptions) (*Archived, error) {
	at := database.At(db)
	if o.Keys == "" {
		o.Keys = at.Keys()
	}
	if o.Wall == nil {
		o.Wall = hlc.Wall
	}
	opened, err := at.OpenToRead(ctx)
	if err != nil {
		return nil, refusedAt(at, err)
	}
	id, err := deploymentNamed(ctx, opened, o.Deployment)
	if err := errors.Join(err, opened.Close()); err != nil {
		return nil, err
	}
	keys, err := readKeys(o.Keys)
	if err != nil {
		return nil, err
	}
	m, err := archive.Write(ctx, archive.Config{Extract: at.Extract, Deployment: id, Key: keys.syncing().Signing, Wall: o.Wall, Entropy: rand.Reader, Progress: o.Progress}, file)
	switch {
	case errors.Is(err, archive.ErrNoCertificate):
		return nil, refuse(NotClosed, err)
	case errors.Is(err, archive.ErrNotCertified):
		return nil, refuse(NotCertified, err, err)
	case err != nil:
		return nil, refusedAt(at, err)
	}
	return &Archived{File: file, Deployment: id, Edition: m.Edition, Made: m.Made, Bytes: m.Database.Bytes, Changes: m.Log.Changes}, nil
}

// Print tells what was written, in Chinese for a tag "zh…", else in English.
func (a *Archived) Print(w io.Writer, lang string) error {
	text := "Archive %s: edition %d, %d changes, %s. It holds no personal data of clients.\n"
	if chinese(lang) {
		text = "行动档案 %s：第 %d 版，%d 条更改，%s。其中没有服务对象的个人信息。\n"
	}
	_, err := fmt.Fprintf(w, text, a.File, a.Edition, a.Changes, megabytes(a.Bytes))
	return err
}

// Verified is what was found in a certificate or an archive.
type Verified struct{ *archive.Result }

// VerifyFile verifies a certificate or an archive, without a server or a network. With a fingerprint, another key than that one is a fault.
func VerifyFile(ctx context.Context, path, fingerprint string) (*Verified, error) {
	r, err := archive.Verify(ctx, path)
	if err != nil {
		return nil, err
	}
	if fingerprint != "" {
		r.Expect(fingerprint)
	}
	return &Verified{r}, nil
}

// Print tells what was found, in Chinese for a tag "zh…", else in English.
func (v *Verified) Print(w io.Writer, lang string) error {
	if chinese(lang) {
		lang = "zh"
	}
	return v.Result.Print(w, lang)
}
