package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"levee/server"
)

// closeOutCmd tells how far a deployment is on its way to the end. It works beside a running server.
type closeOutCmd struct {
	files
	Status     bool   `help:"Print the state, the checklist and the editions of the certificate: what is done anyway." default:"true"`
	BackupDir  string `help:"Folder in which the server makes backups: without one, none is taken to be made." env:"LEVEE_BACKUP_DIR" type:"path"`
	Durable    string `help:"As of leveed serve: with standby, a standby of the database counts as a backup." enum:"commit,standby" default:"commit" env:"LEVEE_DURABLE"`
	Deployment string `help:"Id of the deployment, where there are several." placeholder:"ID"`
	JSON       bool   `name:"json" help:"Print one JSON object."`
}

// Run tells.
func (c *closeOutCmd) Run(ctx context.Context) error {
	s, err := server.New(ctx, server.Config{DB: c.DB, Keys: c.Keys, Journal: c.Journal, Backups: server.Backups{Dir: c.BackupDir}, DurableOnStandby: c.Durable == "standby"})
	if err != nil {
		return err
	}
	status, err := s.CloseOut(ctx, c.Deployment)
	if err := errors.Join(err, s.Close()); err != nil {
		return explained(err)
	}
	return tell(status, c.JSON)
}

// certificateCmd writes a certificate into a file. It works beside a running server.
type certificateCmd struct {
	DB         string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"existingdatabase"`
	Edition    int    `help:"Which edition; the newest one by default." placeholder:"N"`
	Out        string `help:"File that is made. It must not be there yet." required:"" type:"path" placeholder:"FILE"`
	Deployment string `help:"Id of the deployment, where there are several." placeholder:"ID"`
}

// noEdition is said in place of server.ErrNoEdition.
var noEdition = map[bool]string{false: "There is no such edition: see leveed close-out.", true: "没有这一版，请用 leveed close-out 查看。"}

// unissued says in people's language that an edition was not issued, when that is the error.
func unissued(err error) error {
	if errors.Is(err, server.ErrNoEdition) {
		return errors.New(noEdition[strings.HasPrefix(language(), "zh")])
	}
	return err
}

// Run writes.
func (c *certificateCmd) Run(ctx context.Context) error {
	file, err := server.Certificate(ctx, c.DB, c.Deployment, c.Edition)
	if err != nil {
		return unissued(err)
	}
	out, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(file)
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	_, err = fmt.Println(c.Out)
	return err
}

// closingReportCmd writes the closing report into a file. It works beside a running server.
type closingReportCmd struct {
	DB         string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"existingdatabase"`
	Edition    int    `help:"Of which edition of the certificate; the newest one by default." placeholder:"N"`
	Lang       string `help:"Language: zh or en. By default the one of the environment." enum:"zh,en," default:""`
	Format     string `help:"Format: pdf, or xlsx for a workbook." enum:"pdf,xlsx" default:"pdf"`
	Out        string `help:"The file to make. Nothing is written over." required:"" type:"path" placeholder:"FILE"`
	Deployment string `help:"Id of the deployment, where there are several." placeholder:"ID"`
	JSON       bool   `name:"json" help:"Print one JSON object."`
}

// Run writes.
func (c *closingReportCmd) Run(ctx context.Context) error {
	lang := c.Lang
	if lang == "" {
		lang = language()
	}
	made, err := server.ClosingReport(ctx, c.DB, server.ClosingReportOptions{Deployment: c.Deployment, Edition: c.Edition, Lang: lang, Format: c.Format, Out: c.Out})
	if err != nil {
		return unissued(err)
	}
	return tell(made, c.JSON)
}
