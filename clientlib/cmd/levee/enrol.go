package main

import (
	"os"
	"strings"

	"levee/syncproto/wire"
)

// enrolCmd makes this tablet a worker's.
type enrolCmd struct {
	Code []string `arg:"" help:"${code_argument}"`
	Name string   `placeholder:"${word_text}" help:"${name_flag}"`
}

// tabletName is what people call this tablet: as given, else the machine's name.
func (c *enrolCmd) tabletName() string {
	if c.Name != "" {
		return c.Name
	}
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return shorten(name, 90)
}

// Run enrols. A code that a chat has broken into lines is one code.
func (c *enrolCmd) Run(s *session) error {
	if err := c.enrol(s); err != nil {
		return err
	}
	st, err := s.status()
	if err != nil {
		return err
	}
	return s.answer(st, func() {
		s.line(enrolled, st.Worker.Name, st.Deployment.Name)
	})
}

// enrol tells a copied code, which begins in its own way, from an address and the code that was typed behind it.
func (c *enrolCmd) enrol(s *session) error {
	switch whole := strings.Join(c.Code, ""); {
	case strings.HasPrefix(strings.TrimSpace(whole), wire.EnrolmentPrefix):
		return s.store.Enrol(s.ctx, whole)
	case len(c.Code) < 2:
		return s.fail("no_address", noAddress)
	default:
		return s.store.EnrolTyped(s.ctx, c.Code[0], strings.Join(c.Code[1:], ""))
	}
}
