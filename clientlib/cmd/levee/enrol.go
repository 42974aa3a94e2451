package main

import (
	"os"
	"strings"
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
	if err := s.store.Enrol(s.ctx, strings.Join(c.Code, "")); err != nil {
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
