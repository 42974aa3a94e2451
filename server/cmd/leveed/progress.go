package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"levee/server"
	"levee/syncproto/words"
)

// progress draws on the terminal how far something is, one bar after the other; where nobody looks at one it draws nothing.
type progress struct {
	what string
	bar  *progressbar.ProgressBar
}

// tell draws how much of something is done, of how much; 0 where that is not known. What can't be drawn stops nothing.
func (p *progress) tell(what string, done, of uint64) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return
	}
	if p.bar == nil || what != p.what {
		p.end()
		p.what, p.bar = what, progressbar.NewOptions64(-1, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		_ = p.bar.RenderBlank()
	}
	if of > 0 {
		p.bar.ChangeMax64(int64(of)) //nolint:gosec // a count of rows
		_ = p.bar.Set64(int64(done)) //nolint:gosec // a count of rows
	}
}

// tellStep draws how far a step of an archive is.
func (p *progress) tellStep(step server.ArchiveStep, done, of uint64) {
	lang := "en"
	if strings.HasPrefix(language(), "zh") {
		lang = "zh"
	}
	at, steps := step.Place()
	p.tell(fmt.Sprintf("%d/%d %s", at, steps, words.In(lang).Say(step.Said())), done, of)
}

// end leaves nothing of it on the terminal.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
