package server

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"levee/server/internal/audit"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Erased is what an erasure of one client took out.
type Erased struct {
	Deployment hlc.ID `json:"deployment"`
	Case       hlc.ID `json:"case"`
	CaseNo     string `json:"case_no"`
	// Records are gone; TokensIn are those in which tokens were replaced.
	Records  int `json:"records"`
	TokensIn int `json:"tokens_in"`
}

// What can be wrong with the name of a case.
var (
	ErrCaseUnknown = errors.New("there is no such case")
	ErrCaseUnclear = errors.New("several cases have this number: name one by its id")
)

// Erase takes the personal data of one case's clients out of a deployment, whether another process serves it or not. The
// case is named by its id or its number.
func (s *Server) Erase(ctx context.Context, name string) (Erased, error) {
	id, byID := uuid.Parse(name)
	var found []Erased
	var services []*syncing.Service
	for _, d := range s.deployments.All() {
		deployment := d.Syncing.Deployment()
		err := s.db.Deployment(deployment).Read(ctx, func(tx syncing.Reading) error {
			cases, err := tx.OfKind(recordv1.Kind_KIND_CASE)
			if err != nil {
				return err
			}
			for _, r := range cases {
				registers, err := record.DecodeState(r.State)
				if err != nil {
					return fmt.Errorf("state of record %v: %w", r.ID, err)
				}
				content, _ := record.CutBytes(registers.Get(caseNoField).Value)
				if (byID == nil && r.ID == id) || (byID != nil && string(content) == name && !registers.Deleted()) {
					found, services = append(found, Erased{Deployment: deployment, Case: r.ID, CaseNo: string(content)}), append(services, d.Syncing)
				}
			}
			return nil
		})
		if err != nil {
			return Erased{}, err
		}
	}
	switch {
	case len(found) == 0:
		return Erased{}, ErrCaseUnknown
	case len(found) > 1:
		return Erased{}, ErrCaseUnclear
	}
	done := found[0]
	note := audit.Entry{Deployment: done.Deployment, Action: audit.ClientErasureStarted, Subject: audit.Subject{Kind: audit.OfRecord, ID: done.Case}}
	if err := s.audit.Write(ctx, note); err != nil { // before: a part of it can't be undone either
		return Erased{}, err
	}
	gone, err := services[0].Erase(ctx, done.Case)
	if err != nil {
		return Erased{}, err
	}
	done.Records, done.TokensIn = gone.Records, gone.TokensIn
	note.Action = audit.ClientErased
	return done, s.audit.Write(ctx, note)
}

// caseNoField is the number of the field case_no of a Case.
const caseNoField = 16

// Print tells what was erased, in Chinese for a tag "zh…", else in English.
func (e Erased) Print(w io.Writer, lang string) error {
	say := eraseWords[chinese(lang)]
	_, err := fmt.Fprintf(w, say.done, e.CaseNo, e.Records, e.TokensIn)
	_, serr := io.WriteString(w, say.backups+say.tablets)
	return errors.Join(err, serr)
}

var eraseWords = map[bool]struct{ done, whole, backups, tablets string }{
	false: {
		done:    "Case %s: %d confidential records erased, tokens replaced in %d. The totals stay as they are.\n",
		whole:   "Deployment %s: %d records of people erased, tokens replaced in %d; phones of workers and the linkage key are gone. The totals, the log's chain and the certificate stay as they are.\n",
		backups: "Backups made before still hold them: remove those by hand, or let them run out. Should one be restored, the journal erases them again before the server serves.\n",
		tablets: "Each tablet erases them at its next sync.\n",
	},
	true: {
		done:    "个案 %s：已清除 %d 条保密记录，更换了 %d 条记录中的代号。统计数字不变。\n",
		whole:   "行动“%s”：已清除 %d 条个人信息记录，更换了 %d 条记录中的代号；工作人员电话和关联密钥也已清除。统计数字、日志链和数据确认书不变。\n",
		backups: "以前的备份里仍有这些内容：请手动删除，或等它们过期。如果用旧备份恢复，服务器会在提供服务之前按日志文件再次清除。\n",
		tablets: "各平板在下次同步时清除。\n",
	},
}
