// Command levee is a tablet's program on the command line: it logs work without any network, syncs when there is one,
// and shows what the tablet holds. It speaks English and 简体中文.
//
// Exit codes: 0 done, 1 it could not be done, 2 the command was not understood. With --json it prints one JSON object
// on standard output, whatever happens; that of an error is {"error": {"code": …, "message": …}}.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, around{
		args: os.Args[1:], env: os.Getenv, in: os.Stdin, out: os.Stdout, err: os.Stderr,
		terminal: term.IsTerminal(int(os.Stderr.Fd())),
		prompt:   terminalPrompter(os.Stdin, os.Stderr),
		options:  clientlib.Options{App: version()},
	}))
}

// version is the program and its version, as servers list it.
func version() string {
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" {
		return shorten("levee/"+build.Main.Version, 55)
	}
	return "levee"
}

// around is what the program takes from outside.
type around struct {
	args     []string
	env      func(string) string
	in       io.Reader
	out, err io.Writer
	// terminal says that err is one, where a progress bar can move.
	terminal bool
	// prompt asks whoever sits at the terminal; nil when nobody does.
	prompt prompter
	// options are for the store; its name is filled in, and its key where there is none.
	options clientlib.Options
}

// session is one command on its way.
type session struct {
	*words.Words
	ctx      context.Context
	store    *clientlib.Store
	opened   clientlib.Key // what opened it
	env      func(string) string
	prompt   prompter
	in       io.Reader
	out      bytes.Buffer // printed in the end
	err      io.Writer
	terminal bool
	json     bool

	inputTaken    bool
	itsDeployment *recordv1.Deployment
	itsTerms      *words.Terms
	read          map[record.Kind][]clientlib.AnyRecord
}

// run does one command and returns the exit code.
func run(ctx context.Context, a around) int {
	s := &session{
		Words: words.In(languageOf(a.args, a.env)), ctx: ctx, in: a.in, err: a.err, terminal: a.terminal, env: a.env, prompt: a.prompt,
		json: slices.Contains(a.args, "--json"), read: map[record.Kind][]clientlib.AnyRecord{},
	}
	exit := s.report(s.do(a))
	if _, err := s.out.WriteTo(a.out); err != nil {
		fmt.Fprintln(a.err, err)
		return max(exit, 1)
	}
	return exit
}

// grammar is the command line: every command with its arguments and flags.
type grammar struct {
	Store   string   `env:"LEVEE_STORE" default:"${store}" placeholder:"${word_file}" help:"${store_flag}"`
	Profile string   `env:"LEVEE_PROFILE" placeholder:"${word_name}" help:"${profile_flag}"`
	PINFile string   `name:"pin-file" env:"LEVEE_PIN_FILE" placeholder:"${word_file}" help:"${pin_file_flag}"`
	JSON    bool     `name:"json" help:"${json_flag}"`
	Lang    string   `enum:"zh,en" default:"${lang}" placeholder:"zh|en" help:"${lang_flag}"`
	Help    helpFlag `short:"h" help:"${help_flag}"`

	Open      openCmd      `cmd:"" help:"${open}"`
	Enrol     enrolCmd     `cmd:"" help:"${enrol}"`
	Log       logCmd       `cmd:"" help:"${log}"`
	Count     countCmd     `cmd:"" help:"${count}"`
	Update    updateCmd    `cmd:"" help:"${update}"`
	Delete    deleteCmd    `cmd:"" help:"${delete}"`
	Restore   restoreCmd   `cmd:"" help:"${restore}"`
	List      listCmd      `cmd:"" help:"${list}"`
	Show      showCmd      `cmd:"" help:"${show}"`
	Site      siteCmd      `cmd:"" help:"${site}"`
	Sync      syncCmd      `cmd:"" help:"${sync}"`
	Status    statusCmd    `cmd:"" help:"${status}"`
	Totals    totalsCmd    `cmd:"" help:"${totals}"`
	Held      heldCmd      `cmd:"" help:"${held}"`
	Discard   discardCmd   `cmd:"" help:"${discard}"`
	Release   releaseCmd   `cmd:"" help:"${release}"`
	Conflicts conflictsCmd `cmd:"" help:"${conflicts}"`
	Rescue    rescueCmd    `cmd:"" help:"${rescue}"`
	PIN       pinCmd       `cmd:"" name:"pin" help:"${pin}"`
	Profiles  profilesCmd  `cmd:"" help:"${profiles}"`
}

func (s *session) do(a around) error {
	g := &grammar{}
	parser, err := s.parser(g)
	if err != nil {
		return err
	}
	args := a.args
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return s.misused(err)
	}
	s.json = g.JSON
	if g.Store == "" {
		return s.fail("no_store", noStore)
	}
	chosen := g.Profile != "" || g.Store != usualStore()
	if g.Profile != "" {
		if g.Store, err = clientlib.ProfilePath(filepath.Dir(g.Store), g.Profile); err != nil {
			return err
		}
	}
	command := ""
	if node := parsed.Selected(); node != nil {
		command = node.Name
	}
	if command == "profiles" { // which of them is not chosen yet
		return s.profiles(filepath.Dir(g.Store))
	}
	if err := os.MkdirAll(filepath.Dir(g.Store), 0o700); err != nil {
		return s.fail("no_store", folderFails, err.Error())
	}
	options := a.options
	options.Name = g.Enrol.tabletName()
	if command == "open" { // as above, and the PIN is asked for on the pages
		a.options = options
		return s.open(&g.Open, g, a, chosen)
	}
	if options.Key.IsZero() {
		if options.Key, err = s.key(g); err != nil {
			return err
		}
	}
	s.opened = options.Key
	if command == "rescue" { // it can't be opened
		return s.rescue(g.Store, options)
	}
	if s.store, err = clientlib.Open(s.ctx, g.Store, options); err != nil {
		return err
	}
	return errors.Join(parsed.Run(), s.store.Close())
}

func (s *session) parser(g *grammar) (*kong.Kong, error) {
	s.addKindFlags(g)
	return kong.New(g, kong.Name("levee"), kong.Description(s.Say(about)), kong.NoDefaultHelp(), kong.PostBuild(s.fillInHelps),
		kong.Vars{"store": usualStore(), "lang": s.Lang()}, kong.Writers(&s.out, s.err), kong.Exit(func(int) {}), kong.Bind(s))
}

// usualStore is the tablet's file where none is named; empty where there is no place for it.
func usualStore() string {
	folder, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(folder, "levee", "tablet.db")
}

// answer prints what a command found: with --json the value, else what text prints.
func (s *session) answer(value any, text func()) error {
	if !s.json {
		text()
		return nil
	}
	encoder := json.NewEncoder(&s.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// line prints a line.
func (s *session) line(m words.Message, args ...any) { fmt.Fprintln(&s.out, s.Say(m, args...)) }

// rows prints rows whose columns are aligned.
func (s *session) rows(rows [][]string) { s.aligned(rows, pad) }

// numbers prints rows of a name and numbers.
func (s *session) numbers(rows [][]string) { s.aligned(rows, padLeft) }

func (s *session) aligned(rows [][]string, fill func(string, int) string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], widthOf(cell))
		}
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cells[i] = pad(cell, widths[i]); i > 0 {
				cells[i] = fill(cell, widths[i])
			}
		}
		fmt.Fprintln(&s.out, strings.TrimRight(strings.Join(cells, "  "), " "))
	}
}

// failure is an error of this program itself, in the words of whoever reads it.
type failure struct {
	code   string
	exit   int
	text   string
	fields []string
}

func (f *failure) Error() string { return f.code + ": " + f.text }

// fail says why a command can't be done.
func (s *session) fail(code string, m words.Message, args ...any) error {
	return &failure{code: code, exit: 1, text: s.Say(m, args...)}
}

// refuse says what is wrong with what was written for a field.
func (s *session) refuse(f protoreflect.FieldDescriptor, written, why string) error {
	return &failure{
		code: "invalid_value", exit: 2, text: s.Say(badValue, written, s.Field(f), nameOf(f), why), fields: []string{string(f.Name())},
	}
}

// misused says that a command was not understood. What the parser says of it is English.
func (s *session) misused(err error) error {
	if errors.Is(err, errHelped) {
		return err
	}
	path := "levee"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			path = node.FullPath()
		}
	}
	return &failure{code: "usage", exit: 2, text: s.Say(notUnderstood, err.Error(), path)}
}

// report prints an error and returns the exit code.
func (s *session) report(err error) int {
	if err == nil || errors.Is(err, errHelped) {
		return 0
	}
	f := s.explain(err)
	if !s.json {
		fmt.Fprintln(s.err, f.text)
		return f.exit
	}
	object := map[string]any{"error": struct {
		Code    string   `json:"code"`
		Message string   `json:"message"`
		Fields  []string `json:"fields,omitempty"`
		// Wait is after how many seconds the next PIN may be tried.
		Wait int64 `json:"wait_seconds,omitempty"`
	}{f.code, f.text, f.fields, int64((clientlib.KeyWait(err) + time.Second - 1) / time.Second)}}
	var stopped *stoppedSync
	if errors.As(err, &stopped) {
		object["sync"] = stopped.done
	}
	s.out.Reset() // what was begun is not an object
	if err := s.answer(object, nil); err != nil {
		fmt.Fprintln(s.err, err)
	}
	return f.exit
}

// explain puts any error into words.
func (s *session) explain(err error) *failure {
	var own *failure
	var invalid *clientlib.InvalidError
	var request *problem.Problem
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &invalid):
		return s.explainInvalid(invalid)
	case clientlib.Code(err) == string(problem.Internal) && !errors.As(err, &request):
		return &failure{code: string(problem.Internal), exit: 1, text: s.Say(ownFault, err.Error())}
	default:
		text := clientlib.Message(err, s.Lang())
		if errors.As(err, &request) && request.Incident != "" {
			text += s.Say(incident, request.Incident)
		}
		return &failure{code: clientlib.Code(err), exit: 1, text: text}
	}
}

// explainInvalid says what is wrong with each field, by its word.
func (s *session) explainInvalid(invalid *clientlib.InvalidError) *failure {
	f := &failure{exit: 1}
	var lines []string
	for _, p := range invalid.Problems {
		f.code = cmp.Or(f.code, string(p.Code))
		line := record.Message(p.Code, s.Lang())
		if field := fieldNumbered(invalid.Kind, p.Field); field != nil {
			line = s.Say(fieldSays, s.Field(field), nameOf(field), line)
			f.fields = append(f.fields, string(field.Name()))
		}
		lines = append(lines, line)
	}
	f.text = strings.Join(lines, "\n")
	return f
}
