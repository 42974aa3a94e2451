// Package finalreport is the closing report (收队报告) of a deployment: what stands in it, section by section, and the same as a PDF
// and as a workbook. It tells of one edition of the certificate: what the certificate's totals hold is taken from there, and the
// rest is counted from the records as merged. No client is named in it. It declares the Store that it needs.
package finalreport

import (
	"context"
	"slices"
	"sync"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/words"
)

// Config is what a Service needs.
type Config struct {
	Deployment hlc.ID
	Store      Store
	// Progress has the figures with their rules, and what the deployment is set up with.
	Progress *progress.Service
}

// Service reports of one deployment.
type Service struct {
	Config

	// counted is what was counted last. It is counted anew only when the log has moved, since all records are looked through.
	mu      sync.Mutex
	counted *counted
}

// New is a service over a store.
func New(c Config) *Service { return &Service{Config: c} }

// Store keeps one deployment.
type Store interface {
	// ReadFinal runs fn over one snapshot. It never waits for a writer.
	ReadFinal(ctx context.Context, fn func(Reading) error) error
}

// Reading looks up what no certificate holds.
type Reading interface {
	progress.RecordReading
	// Head is the end of the log.
	Head() (syncing.Head, error)
}

// Query says which report is wanted.
type Query struct {
	// File is the certificate as it was signed.
	File []byte
	// Lang is "zh", or else English.
	Lang string
	// Foreword is what the report begins with, in paragraphs that a line feed ends; it may be empty.
	Foreword string
	// LeftOut are names of Sections. A name that there is none of leaves nothing out: a newer server may have more.
	LeftOut []string
}

// Make makes the report. Whether the certificate was signed with the right key is for the caller to know. The error is a *certificate.Fault when the file is not the certificate that was signed, and the problem
// not_found when it is one of another deployment.
func (s *Service) Make(ctx context.Context, q Query) (*Report, error) {
	c, key, err := certificate.Open(q.File)
	if err != nil {
		return nil, err
	}
	if c.Deployment.ID != s.Deployment {
		return nil, problem.New(problem.NotFound)
	}
	m := &maker{Words: words.In(q.Lang), Certificate: c, totals: totalsOf(c), hash: certificate.Hash(q.File), fingerprint: certificate.Fingerprint(key), setUp: s.Progress.SetUp(), figures: s.Progress.Figures()}
	if m.counted, err = s.countedNow(ctx); err != nil {
		return nil, err
	}
	r := m.report()
	if paragraphs := paragraphsOf(q.Foreword); len(paragraphs) > 0 {
		r.Sections = append(r.Sections, Section{Name: "foreword", Title: m.Say(foreword), Blocks: paragraphs})
	}
	for _, one := range sections {
		if !one.always && slices.Contains(q.LeftOut, one.name) {
			continue
		}
		r.Sections = append(r.Sections, Section{Name: one.name, Title: m.Say(one.title), Blocks: one.write(m)})
	}
	return r, nil
}

// MakeAsSet makes the report of a certificate with the foreword that the deployment's record has, and without the sections that it
// leaves out; besides as Make.
func (s *Service) MakeAsSet(ctx context.Context, file []byte, lang string) (*Report, error) {
	d := s.Progress.SetUp().Deployment
	return s.Make(ctx, Query{File: file, Lang: lang, Foreword: d.GetForeword(), LeftOut: d.GetLeftOut()})
}

// countedNow is what no certificate holds, as of now.
func (s *Service) countedNow(ctx context.Context) (*counted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.Store.ReadFinal(ctx, func(tx Reading) error {
		head, err := tx.Head()
		if err != nil || (s.counted != nil && s.counted.position == head.Position) {
			return err
		}
		found := &counted{}
		if err := found.read(tx); err != nil {
			return err
		}
		s.counted = found
		return nil
	})
	return s.counted, err
}

// section is a part of the report.
type section struct {
	name  string
	title words.Message
	// always: it can't be left out.
	always bool
	write  func(*maker) []Block
}

// sections are all, in the order in which they are read.
var sections = []section{
	{"summary", words.Message{EN: "Summary", ZH: "概要"}, true, (*maker).summary},
	{"towns", words.Message{EN: "By town", ZH: "各乡镇"}, false, (*maker).towns},
	{"levels", words.Message{EN: "By administrative level", ZH: "各级行政区"}, false, (*maker).levels},
	{"weeks", words.Message{EN: "By week", ZH: "各周"}, false, (*maker).weeks},
	{"service_areas", words.Message{EN: "By service area", ZH: "各服务领域"}, false, (*maker).serviceAreas},
	{"people", words.Message{EN: "By sex and age", ZH: "性别和年龄"}, false, (*maker).people},
	{"casework", words.Message{EN: "Casework", ZH: "个案工作"}, false, (*maker).casework},
	{"referrals", words.Message{EN: "Referrals and handed-over cases", ZH: "转介和移交"}, false, (*maker).referrals},
	{"supervision", words.Message{EN: "Supervision", ZH: "督导"}, false, (*maker).supervision},
	{"method", words.Message{EN: "How it was counted", ZH: "统计口径"}, false, (*maker).method},
	{"completeness", words.Message{EN: "How complete it is", ZH: "完整程度"}, false, (*maker).completeness},
	{"waivers", words.Message{EN: "Waived", ZH: "说明后放行"}, false, (*maker).waivers},
	{"editions", words.Message{EN: "Editions and addenda", ZH: "版次和补报"}, false, (*maker).editions},
	{"certificate", words.Message{EN: "Certificate", ZH: "数据确认书"}, true, (*maker).certificate},
}

// Choice is a section that a coordinator may leave out.
type Choice struct {
	Name  string
	Label progress.Text
}

// Sections are those that can be left out, in the order in which they are read.
func Sections() []Choice {
	var all []Choice
	for _, one := range sections {
		if !one.always {
			all = append(all, Choice{one.name, progress.Text{Zh: one.title.ZH, En: one.title.EN}})
		}
	}
	return all
}
