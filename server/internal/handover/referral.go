package handover

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// formWords are what a referral form says besides the words for fields.
type formWords struct {
	Title, Receipt, CaseNo, From, Client, Phone, NoConsent, OnFile, Consented string
	Handed, Date, Choose, Accepted, Declined, By, Seal, InPerson              string
}

var formSays = map[bool]formWords{
	false: {
		Title: "Referral form", Receipt: "Receipt", CaseNo: "Case number", From: "From", Client: "Client", Phone: "Phone:",
		NoConsent: "none", OnFile: "on file", Consented: "given on %s, %s", Handed: "Handed over by:", Date: "Date:",
		Choose: "We have received this referral:", Accepted: "accepted", Declined: "declined, because:", By: "Received by:", Seal: "Seal:",
		InPerson: "told in person",
	},
	true: {
		Title: "转介单", Receipt: "回执", CaseNo: "个案编号", From: "转出单位", Client: "服务对象", Phone: "电话：",
		NoConsent: "无", OnFile: "已登记", Consented: "%s，%s", Handed: "转出人签字：", Date: "日期：",
		Choose: "已收到上述转介：", Accepted: "接收", Declined: "退回，原因：", By: "接收人签字：", Seal: "盖章：",
		InPerson: "由社工当面告知",
	},
}

// form is what the template shows.
type form struct {
	Lang, Title, Receipt string
	Lines, Received      []line
	Say                  formWords
}

// ReferralForm is a referral as a form to print, sign and hand over, with a receipt that its receiver tears off and sends back: a
// fragment of HTML in a language, "zh" or else English. Who the client is stands in it only for who may see that; the reading is noted.
// Problem not_found when there is no such referral, or it is hidden from the reader.
func (s *Service) ReferralForm(ctx context.Context, by casefile.Reader, referral hlc.ID, lang string) (template.HTML, error) {
	var shown form
	read := []audit.Entry{{Action: audit.RecordRead, Subject: audit.Subject{Kind: audit.OfRecord, ID: referral}}}
	err := s.Store.ReadCase(ctx, func(tx casefile.Reading) error {
		of, family, err := s.referred(tx, by, referral)
		if err != nil {
			return err
		}
		identity, err := seen(by, family, recordv1.Kind_KIND_CASE_IDENTITY)
		if err != nil {
			return err
		}
		consent, err := seen(by, family, recordv1.Kind_KIND_CONSENT)
		if err != nil {
			return err
		}
		consent = slices.DeleteFunc(consent, func(m member) bool { return m.ID != hlc.IDOf(of.GetConsent()) })
		for _, m := range slices.Concat(identity, consent) {
			read = append(read, audit.Entry{Action: audit.ConfidentialRead, Subject: audit.Subject{Kind: audit.OfRecord, ID: m.ID}})
		}
		shown = s.form(of, family, identity, consent, lang)
		return nil
	})
	if err != nil {
		return "", err
	}
	for _, e := range read {
		e.Deployment, e.Actor = s.Deployment, by.Actor
		if err := s.Audit.Write(ctx, e); err != nil {
			return "", err
		}
	}
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, "referral.html", shown); err != nil {
		return "", fmt.Errorf("the form of referral %v: %w", referral, err)
	}
	return template.HTML(out.String()), nil //nolint:gosec // the template has escaped it
}

// referred is a referral that a reader may see, with the records of its case.
func (s *Service) referred(tx casefile.Reading, by casefile.Reader, id hlc.ID) (*recordv1.Referral, []member, error) {
	found, err := tx.Records([]hlc.ID{id})
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 || found[0].Kind != recordv1.Kind_KIND_REFERRAL {
		return nil, nil, problem.New(problem.NotFound)
	}
	roots, err := syncing.RootsOf(tx, found...)
	if err != nil {
		return nil, nil, err
	}
	circle, err := roots.CircleOf(found[0])
	if err != nil {
		return nil, nil, err
	}
	m, err := memberOf(found[0])
	if err != nil {
		return nil, nil, err
	}
	of, ok := m.message.(*recordv1.Referral)
	if !ok || m.deleted || !by.Sees(found[0], circle) {
		return nil, nil, problem.New(problem.NotFound)
	}
	family, err := familyOf(tx, m.Root)
	return of, family, err
}

// seen are the records of a kind in a case that a reader may see.
func seen(by casefile.Reader, family []member, kind record.Kind) (all []member, err error) {
	i := slices.IndexFunc(family, func(m member) bool { return m.Kind == recordv1.Kind_KIND_CASE })
	if i < 0 {
		return nil, nil
	}
	for _, m := range family {
		if m.Kind != kind {
			continue
		}
		circle, err := syncing.CircleOf(m.Record, &family[i].Record)
		if err != nil {
			return nil, err
		}
		if by.Sees(m.Record, circle) {
			all = append(all, m)
		}
	}
	return all, nil
}

// form fills the form in.
func (s *Service) form(of *recordv1.Referral, family, identity, consent []member, lang string) form {
	setUp, terms := s.SetUp(), words.In(lang).For(s.SetUp().Deployment)
	say := formSays[terms.Lang() == "zh"]
	caseNo := ""
	for _, m := range family {
		if c, ok := m.message.(*recordv1.Case); ok {
			caseNo = c.GetCaseNo()
		}
	}
	worker := setUp.Workers[hlc.IDOf(of.GetAuthor())].GetName()
	team := setUp.Teams[hlc.IDOf(of.GetTeam())].GetName()
	from := terms.List(slices.DeleteFunc([]string{setUp.Deployment.GetName(), team, worker}, func(part string) bool { return part == "" }))
	f := form{Lang: terms.Lang(), Title: say.Title, Receipt: say.Receipt, Say: say}
	add := func(label, value string) { f.Lines = append(f.Lines, line{label, value}) }
	field := func(name protoreflect.Name, value protoreflect.Value) {
		d := of.ProtoReflect().Descriptor().Fields().ByName(name)
		add(terms.Field(d), terms.Value(d, value, func([]byte) string { return "" }))
	}
	add(say.CaseNo, caseNo)
	add(say.From, from)
	message := of.ProtoReflect()
	for _, name := range []protoreflect.Name{"to_organisation", "occurred_on", "urgency", "reason"} {
		if d := message.Descriptor().Fields().ByName(name); message.Has(d) {
			field(name, message.Get(d))
		}
	}
	client := say.InPerson
	for _, m := range identity {
		who, ok := m.message.(*recordv1.CaseIdentity)
		if !ok {
			continue
		}
		client = terms.List(slices.DeleteFunc([]string{who.GetName(), who.GetPhone()}, func(part string) bool { return part == "" }))
	}
	add(say.Client, client)
	add(terms.Field(message.Descriptor().Fields().ByName("consent")), consentOf(of, consent, terms, say))
	f.Received = []line{{say.CaseNo, caseNo}, {say.From, from}, {terms.Field(message.Descriptor().Fields().ByName("to_organisation")), of.GetToOrganisation()}}
	return f
}

// consentOf says when and how the consent was given that a referral names, which is alone in consents if the reader may see it.
func consentOf(of *recordv1.Referral, consents []member, terms *words.Terms, say formWords) string {
	for _, m := range consents {
		if c, ok := m.message.(*recordv1.Consent); ok && c.GetWithdrawnOn() == 0 {
			return fmt.Sprintf(say.Consented, terms.Date(record.Date(c.GetGivenOn())), terms.OptionOf(c.GetForm().Descriptor(), c.GetForm().Number()).Label)
		}
	}
	if len(of.GetConsent()) > 0 && len(consents) == 0 { // not for this reader
		return say.OnFile
	}
	return say.NoConsent
}
