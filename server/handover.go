package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"filippo.io/age"

	"levee/server/internal/audit"
	"levee/server/internal/database"
	"levee/server/internal/handover"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// HandOverOptions say which case files are handed over, and to whom.
type HandOverOptions struct {
	// Deployment is an id; it may be left out where there is only one.
	Deployment string
	// Cases are numbers or ids; All: every case that is not deleted.
	Cases []string
	All   bool
	// Key is a public key of age, or Passphrase is what opens the file.
	Key, Passphrase string
	// Out is the file to make. It must not be there yet.
	Out string
}

// HandedOver is what was handed over.
type HandedOver struct {
	Out        string   `json:"out"`
	Deployment hlc.ID   `json:"deployment"`
	Cases      []string `json:"cases"`
	// Unconsented are the cases without a consent to being passed on.
	Unconsented []string `json:"unconsented"`
	// Fingerprint is by what the audit log knows the key; empty for a passphrase.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// HandOver seals the files of cases for the station that goes on with them. It may run beside a server, and changes nothing but the
// audit log, where each case is noted first. It is a Refusal when the recipient or a case is not as it should be.
func HandOver(ctx context.Context, path string, o HandOverOptions) (*HandedOver, error) {
	to, err := recipientOf(o)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(o.Out); !errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(ExportThere, err, o.Out)
	}
	db, err := database.At(path).Open(ctx)
	if err != nil {
		return nil, refusedAt(database.At(path), err)
	}
	made, err := handOver(ctx, db, o, to)
	return made, errors.Join(err, db.Close())
}

func recipientOf(o HandOverOptions) (*handover.Recipient, error) {
	if o.Key == "" {
		to, err := handover.ToPassphrase(o.Passphrase)
		if errors.Is(err, handover.ErrPassphraseShort) {
			return nil, refuse(PassphraseShort, err, handover.MinPassphrase)
		}
		return to, err
	}
	to, err := handover.ToKey(o.Key)
	if err != nil {
		return nil, refuse(RecipientUnreadable, err)
	}
	return to, nil
}

func handOver(ctx context.Context, db *store.DB, o HandOverOptions, to *handover.Recipient) (*HandedOver, error) {
	id, err := deploymentNamed(ctx, db, o.Deployment)
	if err != nil {
		return nil, err
	}
	of := db.Deployment(id)
	setUp, err := setUpOf(ctx, of)
	if err != nil {
		return nil, err
	}
	service := handover.New(handover.Config{Deployment: id, Store: of, SetUp: func() *syncing.SetUp { return setUp }, Audit: audit.New(db, hlc.Wall), Wall: hlc.Wall})
	cases, err := casesNamed(ctx, service, o)
	if err != nil {
		return nil, err
	}
	made := &HandedOver{Out: o.Out, Deployment: id, Fingerprint: to.Fingerprint()}
	err = exportFile(o.Out, func(w io.Writer) error {
		written, err := service.Write(ctx, w, nil, cases, to)
		made.Cases, made.Unconsented = written.Cases, written.Unconsented
		return err
	})
	if err != nil {
		return nil, errors.Join(err, os.Remove(o.Out))
	}
	return made, nil
}

// casesNamed are the cases that are meant: of several with one number, all.
func casesNamed(ctx context.Context, of *handover.Service, o HandOverOptions) (ids []hlc.ID, err error) {
	all, err := of.Cases(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if o.All || slices.Contains(o.Cases, c.No) || slices.Contains(o.Cases, c.ID.String()) {
			ids = append(ids, c.ID)
		}
	}
	unknown := slices.DeleteFunc(slices.Clone(o.Cases), func(name string) bool {
		return slices.ContainsFunc(all, func(c *handover.Case) bool { return c.No == name || c.ID.String() == name })
	})
	if len(unknown) > 0 || len(ids) == 0 {
		return nil, refuse(CaseUnknown, nil, strings.Join(unknown, ", "))
	}
	return ids, nil
}

// OpenOptions say how a sealed file is opened: with the private keys in a file of age, or with a passphrase.
type OpenOptions struct {
	Keys, Passphrase string
	// Out is the folder to make. It must not be there yet.
	Out string
}

// Opened is what was opened.
type Opened struct {
	Out   string   `json:"out"`
	Files []string `json:"files"`
}

// OpenHandOver opens what HandOver has sealed. It needs no server and no database. It is a Refusal when the keys do not open it.
func OpenHandOver(path string, o OpenOptions) (*Opened, error) {
	with, err := keysOf(o)
	if err != nil {
		return nil, refuse(SealedCantBeOpened, err, path)
	}
	if _, err := os.Lstat(o.Out); !errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(ExportThere, err, o.Out)
	}
	f, err := os.Open(path) //nolint:gosec // the receiver names the file
	if err != nil {
		return nil, err
	}
	files, err := handover.Open(f, o.Out, with)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, refuse(SealedCantBeOpened, err, path)
	}
	return &Opened{Out: o.Out, Files: files}, nil
}

func keysOf(o OpenOptions) ([]age.Identity, error) {
	if o.Keys == "" {
		return handover.WithPassphrase(o.Passphrase)
	}
	f, err := os.Open(o.Keys)
	if err != nil {
		return nil, err
	}
	with, err := handover.WithKeys(f)
	return with, errors.Join(err, f.Close())
}

// Print tells what was handed over and how it is opened, in Chinese for a tag "zh…", else in English.
func (h *HandedOver) Print(w io.Writer, lang string) error {
	say := handOverWords[chinese(lang)]
	_, err := fmt.Fprintf(w, say.made, h.Out, len(h.Cases), strings.Join(h.Cases, say.comma))
	if len(h.Unconsented) > 0 {
		_, uerr := fmt.Fprintf(w, say.unconsented, strings.Join(h.Unconsented, say.comma))
		err = errors.Join(err, uerr)
	}
	how := say.byPhrase
	if h.Fingerprint != "" {
		how = say.byKey
	}
	_, herr := fmt.Fprintf(w, how, h.Out, h.Fingerprint)
	return errors.Join(err, herr)
}

// Print tells what was opened, in Chinese for a tag "zh…", else in English.
func (o *Opened) Print(w io.Writer, lang string) error {
	_, err := fmt.Fprintf(w, handOverWords[chinese(lang)].opened, o.Out, len(o.Files))
	return err
}

var handOverWords = map[bool]struct{ made, comma, unconsented, byKey, byPhrase, opened string }{
	false: {
		made: "%s: the files of %d cases, sealed: %s.\n", comma: ", ",
		unconsented: "Without a consent to being passed on: %s. Ask the clients before you send the file.\n",
		byKey:       "Its receiver opens it with the private key: leveed open-hand-over %[1]s --identity KEYFILE --out FOLDER, or: age -d -i KEYFILE -o cases.zip %[1]s\nFingerprint of the key in the audit log: %[2]s\n",
		byPhrase:    "Its receiver opens it with the passphrase: leveed open-hand-over %[1]s --passphrase-file FILE --out FOLDER, or: age -d -o cases.zip %[1]s\nTell the passphrase another way than the file goes.%.0[2]s\n",
		opened:      "%s: %d files, in the open. Keep the folder safe, and destroy it when it is no longer needed.\n",
	},
	true: {
		made: "%s：已加密 %d 个个案的档案：%s。\n", comma: "、",
		unconsented: "以下个案没有“转介提供”的同意：%s。发送前请先征得服务对象同意。\n",
		byKey:       "接收方用私钥打开：leveed open-hand-over %[1]s --identity 私钥文件 --out 文件夹，或：age -d -i 私钥文件 -o cases.zip %[1]s\n操作日志中该公钥的指纹：%[2]s\n",
		byPhrase:    "接收方用口令打开：leveed open-hand-over %[1]s --passphrase-file 口令文件 --out 文件夹，或：age -d -o cases.zip %[1]s\n口令请通过与文件不同的途径告知。%.0[2]s\n",
		opened:      "%s：已打开 %d 个文件，内容未加密。请妥善保管，不再需要时销毁。\n",
	},
}
