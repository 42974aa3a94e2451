package tabletui

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"levee/clientlib"
	"levee/syncproto/hlc"
)

// numbersBody is where whole numbers are written instead of tapped.
type numbersBody struct {
	ID     hlc.ID
	Hidden []choice
	// Was are the figures that the page began with: only what was changed on it is taken.
	Was    string
	Totals []control
	Cells  control
	Kept   time.Time
	Error  string
}

// valueWas is the name of what a page of numbers began with.
const valueWas = "_was"

func (v *visit) numbersPage() error {
	c, err := v.countAsked()
	switch {
	case clientlib.Code(err) == clientlib.CodeFormDone:
		return v.toCounted()
	case err != nil:
		return err
	}
	return c.showNumbers(http.StatusOK, c.heads().cells())
}

func (c *count) showNumbers(status int, was string) error {
	b := &numbersBody{ID: c.kept.ID, Hidden: c.hidden(), Was: was, Kept: c.kept.Saved}
	var err error
	if b.Totals, err = c.controls(c.of, visits3, nil); err != nil {
		return err
	}
	cells, err := c.controls(c.of, names{"cells"}, nil)
	if err != nil {
		return err
	}
	b.Cells = cells[0]
	if len(c.wrong) > 0 {
		b.Error = c.T("form_wrong")
	}
	back := pathCounter + "/" + c.kept.ID.String()
	if c.kept.Saved.IsZero() {
		back += query(c.r.URL.RawQuery)
	}
	return c.showAs(status, "numbers", &page{Title: c.T("typed_numbers"), Here: pathNew, Back: back, Body: b})
}

// visits3 are the fields of the totals.
var visits3 = names{"first_time", "returning", "unsure"}

// cells are the figures of all cells in one text.
func (h heads) cells() string {
	all := url.Values{}
	for name := range h.Values {
		if strings.HasPrefix(name, "cells.") && h.number(name) > 0 {
			all.Set(name, strconv.Itoa(h.number(name)))
		}
	}
	return all.Encode()
}

// numbersSent takes the numbers that were written: with a script as they are written, else all at once.
func (v *visit) numbersSent() error {
	c, err := v.countAsked()
	if err != nil {
		if v.partial() {
			return v.notKept(err)
		}
		if clientlib.Code(err) == clientlib.CodeFormDone {
			return v.toCounted()
		}
		return err
	}
	sent := v.sent()
	was, err := url.ParseQuery(sent.Get(valueWas))
	if err != nil {
		return errNoPage
	}
	written := reading{visit: v, around: c.around, values: sent, of: c.of, wrong: c.wrong}
	written.read(c.of)
	if len(c.wrong) == 0 {
		err = c.change(func() error {
			c.heads().write(sent, was)
			return nil
		})
	}
	switch {
	case v.partial() && err != nil:
		return v.notKept(err)
	case v.partial() && len(c.wrong) > 0:
		return v.part("pad", "kept", map[string]any{"v": v, "Kept": time.Time{}, "Error": v.T("wrong_number")})
	case v.partial():
		return v.part("numbers", "keptnumbers", map[string]any{"v": v, "Kept": v.wall(), "Error": "", "Was": c.heads().cells()})
	case err != nil:
		return err
	case len(c.wrong) > 0:
		c.values = sent
		return c.showNumbers(http.StatusUnprocessableEntity, sent.Get(valueWas))
	}
	return v.to(pathCounter + "/" + c.kept.ID.String())
}

// write takes numbers that were written, and of the cells those that are not as they were: what was tapped elsewhere meanwhile stays.
func (h heads) write(sent, was url.Values) {
	var step []counted
	for _, name := range sortedNames(sent) {
		parts := strings.Split(name, ".")
		if len(parts) != 4 || parts[0] != "cells" {
			continue
		}
		c, ok := parseCell(parts[1], parts[2], parts[3])
		if n := (heads{sent}).number(name); ok && n != (heads{was}).number(name) {
			step = append(step, counted{c, n - h.in(c)})
		}
	}
	h.do(step...)
	replace(h.Values, sent, visits)
}
