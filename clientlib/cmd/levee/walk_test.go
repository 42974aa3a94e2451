package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"levee/clientlib/internal/fakeserver"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

var update = flag.Bool("update", false, "write what commands print into the walks of testdata")

// A walk is a file of commands with what each prints. A line that starts with A or B and > is a command on that
// tablet, in Chinese on A and in English on B (below it, | is what it prints on standard output and ! on standard error); one that starts with # says something to the reader, and one that starts with !
// does something to the server. CODE-A and CODE-B stand for enrolment codes.
func TestWalks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"walk", "risk", "mistakes", "help"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := "testdata/" + name + ".txt"
			written, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := walk(t, string(written))
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != string(written) {
				t.Errorf("%s reads now (run with -update to keep it):\n%s", path, difference(string(written), got))
			}
		})
	}
}

func walk(t *testing.T, script string) string {
	c := newClock()
	s := fakeserver.New(t, c.wall)
	a, b := newTablet(t, s, c, 1), newTablet(t, s, c, 2)
	a.lang = "zh"
	codes := strings.NewReplacer("CODE-A", s.Code("wang-fang"), "CODE-B", s.Code("li-lei"))
	var out strings.Builder
	for line := range strings.Lines(script) {
		tab := a
		switch {
		case strings.HasPrefix(line, "#"), line == "\n":
			out.WriteString(line)
			continue
		case strings.HasPrefix(line, "! "):
			out.WriteString(line)
			tell(t, s, strings.TrimSpace(line[2:]))
			continue
		case strings.HasPrefix(line, "B> "):
			tab = b
		case !strings.HasPrefix(line, "A> "):
			continue // what a command printed
		}
		out.WriteString(line)
		stdout, stderr, exit := tab.run(fieldsOfLine(codes.Replace(strings.TrimSpace(line[len("A> "):])))[1:]...)
		for text := range strings.Lines(stderr) {
			out.WriteString(strings.TrimRight("  ! "+text, " \n") + "\n")
		}
		for text := range strings.Lines(stdout) {
			out.WriteString(strings.TrimRight("  | "+anyBytes.ReplaceAllString(text, "$1#$2"), " \n") + "\n")
		}
		if exit != 0 {
			fmt.Fprintf(&out, "  exit %d\n", exit)
		}
	}
	return out.String()
}

// anyBytes are numbers of bytes: they change with every header and dictionary, and are not what walks are about.
var anyBytes = regexp.MustCompile(`("bytes_(?:up|down)": )[0-9]+|[0-9,]+( bytes| 字节)`)

// tell does to the server what a walk says.
func tell(t *testing.T, s *fakeserver.Server, what string) {
	t.Helper()
	switch what {
	case "down":
		s.Down = true
	case "up":
		s.Down = false
	case "holds outreaches":
		s.Hold = func(c *record.Change) string {
			if c.Kind == recordv1.Kind_KIND_OUTREACH {
				return string(record.CodeNotYourTeam)
			}
			return ""
		}
	default:
		t.Fatalf("a walk can't say %q", what)
	}
}

// fieldsOfLine are the words of a command line; double quotes keep spaces.
func fieldsOfLine(line string) []string {
	var found []string
	for i, quoted := range strings.Split(line, `"`) {
		if i%2 == 1 {
			found[len(found)-1] += quoted
			continue
		}
		parts := strings.Split(quoted, " ")
		if i > 0 && len(found) > 0 {
			found[len(found)-1] += parts[0]
			parts = parts[1:]
		}
		found = append(found, parts...)
	}
	kept := found[:0]
	for _, w := range found {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return kept
}

// difference is the first line in which two texts differ, with those about it.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	cut := func(lines []string) string {
		return strings.Join(lines[max(0, min(i-2, len(lines))):min(len(lines), i+6)], "\n")
	}
	return fmt.Sprintf("line %d, want\n%s\ngot\n%s", i+1, cut(w), cut(g))
}
