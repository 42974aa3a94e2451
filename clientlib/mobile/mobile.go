// Package mobile is what apps for Android and iOS are built on: gobind makes a Java and an Objective-C class of Tablet, and leaves out nothing of this
// package.
//
// # Shapes
//
// Records go in and out as JSON objects, of the form that package recordjson describes:
//
//	{"occurred_on": "2021-10-13", "case": "0192…", "minutes": 50, "mode": "home_visit", "service_area": "counselling"}
//
// A record that comes out has its fields and what is known of it:
//
//	{"id": "0192…", "kind": "case_session", "deleted": false, "missing": [], "sending": "unsent", "held": [],
//	 "changed": "2021-10-13T08:30:00+08:00", "fields": {…}}
//
// missing are required fields that it lacks; with any, it is a draft and does not count. sending is "unsent" (on this tablet alone), "sent", "durable"
// (the server would not even lose it with its disk), or "received" (this tablet changed nothing). Ids are UUIDs, days "2021-09-23".
//
// # Errors
//
// The text of every error is "code: sentence" or "code fields: sentence": a stable code, the names of the fields that are wrong, with commas between
// them, and a sentence for people in the language of the options or of SetLanguage. ErrorCode, ErrorFields and ErrorSentence part them. Any call may
// fail with not_enrolled, storage_full, database_busy, database_damaged, device_revoked (this tablet was put out of use) or closed, besides what stands with it.
//
// # Threads
//
// All methods may be called at the same time, from any thread. They read and write a file, and Enrol, EnrolTyped and Sync wait for a
// network: call none of them on the thread that draws.
package mobile

import (
	"context"
	"sync"
	"sync/atomic"

	"levee/clientlib"
	"levee/syncproto/problem"
	"levee/syncproto/words"
)

// Options are what an app says about itself. All may be left out.
type Options struct {
	// Language is that of sentences and labels: "zh" for 简体中文, or a tag such as "zh-Hans-CN", else English.
	Language string
	// Name is what people call this tablet, at most 100 bytes. The server is told when the tablet enrols.
	Name string
	// App is the app and its version, such as "levee-android/1.4", for the server's list of tablets: at most 60 bytes.
	App string
}

// HasKey reports whether there is a tablet's file at a path that already has a key. Without one, the key or PIN that it is opened with becomes its key.
func HasKey(path string) bool { return clientlib.HasKey(path) }

// OpenWithKey opens the tablet's file at a path with a key of 32 random bytes that the machine keeps (Android's Keystore, iOS's Keychain), and makes
// it if it is not there. The caller overwrites its copy of the key afterwards. options may be null.
//
// Codes of errors: invalid_argument (the key has not 32 bytes), key_wrong, key_wait, key_missing, key_damaged, key_destroyed, database_newer.
func OpenWithKey(path string, key []byte, options *Options) (*Tablet, error) {
	if len(key) != 32 {
		return nil, inWords(problem.Newf(problem.InvalidArgument, "a key of %d bytes", len(key)), languageOf(options))
	}
	return open(path, clientlib.HostKey([32]byte(key)), options)
}

// OpenWithPIN opens the tablet's file at a path with what its worker types: at least 6 digits, or a passphrase of at least 8 characters.
// After wrong ones the next has to wait, longer and longer; the sentence says for how long. options may be null.
//
// Codes of errors: key_weak for a first PIN, and those of OpenWithKey.
func OpenWithPIN(path, pin string, options *Options) (*Tablet, error) {
	return open(path, clientlib.PIN(pin), options)
}

func open(path string, key clientlib.Key, options *Options) (*Tablet, error) {
	w := languageOf(options)
	if options == nil {
		options = &Options{}
	}
	store, err := clientlib.Open(context.Background(), path, clientlib.Options{Key: key, Name: options.Name, App: options.App})
	if err != nil {
		return nil, inWords(err, w)
	}
	return newTablet(store, w), nil
}

func languageOf(options *Options) *words.Words {
	if options == nil {
		return words.In("en")
	}
	return wordsOf(options.Language)
}

// Tablet is a tablet's file, open. An app has one for as long as its worker is signed in.
// OpenWithKey and OpenWithPIN make them; one that is made otherwise can't be used.
type Tablet struct {
	store *clientlib.Store
	words atomic.Pointer[words.Words]

	mu sync.Mutex
	// syncs ends when StopSync is called; those that begin later have another.
	syncs context.Context
	stop  context.CancelFunc
}

func newTablet(store *clientlib.Store, w *words.Words) *Tablet {
	t := &Tablet{store: store}
	t.words.Store(w)
	t.syncs, t.stop = context.WithCancel(context.Background())
	return t
}

// Close stops a sync that is under way, waits for all calls to return and closes the file. Later calls fail with code closed. Closing again does
// nothing.
func (t *Tablet) Close() error {
	t.StopSync()
	return t.fail(t.store.Close())
}

// SetLanguage chooses the language of sentences and labels from now on, as in Options.
func (t *Tablet) SetLanguage(language string) { t.words.Store(wordsOf(language)) }

// Enrol makes this tablet that of the worker for whom a coordinator made a code: its text, as scanned or copied. It needs the network, once. A call
// whose answer was lost may be made again with the same code.
//
// Codes of errors: already_enrolled, enrolment_code_invalid, enrolment_code_expired, enrolment_code_used, unavailable, server_not_trusted.
func (t *Tablet) Enrol(code string) error {
	return t.fail(t.store.Enrol(context.Background(), code))
}

// EnrolTyped does what Enrol does with a code that was typed by hand, and the server's address beside it: a host, or a URL.
func (t *Tablet) EnrolTyped(address, code string) error {
	return t.fail(t.store.EnrolTyped(context.Background(), address, code))
}

// ChangePIN puts a new PIN in the place of the old one. Codes of errors: key_wrong, key_wait, key_weak.
func (t *Tablet) ChangePIN(old, next string) error {
	return t.fail(t.store.ChangeKey(context.Background(), clientlib.PIN(old), clientlib.PIN(next)))
}

// terms are the words of the deployment, in the language chosen.
func (t *Tablet) terms(ctx context.Context) (*words.Terms, error) {
	return termsOf(ctx, t.store, t.words.Load())
}
