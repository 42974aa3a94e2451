// Leveed is Levee's server.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"levee/server"
)

// cli is the command line: flags, their environment and their help in one place.
type cli struct {
	Serve         serveCmd         `cmd:"" help:"Serve tablets and the JSON API."`
	Health        healthCmd        `cmd:"" help:"Ask a server on this machine whether it is well, at its admin address. Exit 0 when it is."`
	Code          codeCmd          `cmd:"" help:"Make an enrolment code for a worker's tablet."`
	Token         tokenCmd         `cmd:"" help:"Make a token of the JSON API that acts as a worker. A server may run meanwhile."`
	ResetLink     resetCmd         `cmd:"" name:"reset-account" help:"Make a one-time link with which the owner of an account sets a new password. A server may run meanwhile."`
	RotateKeys    rotateKeysCmd    `cmd:"" help:"Sign sessions on the web with a new key from now on. A server may run meanwhile; nobody is signed out."`
	Demo          demoCmd          `cmd:"" help:"Replay the Henan deployment: a server, twelve tablets, 75 days offline and back."`
	Backup        backupCmd        `cmd:"" help:"Copy the database to a file, and verify the copy. A server may run meanwhile."`
	Restore       restoreCmd       `cmd:"" help:"Put a backup in the database's place. The server must be stopped."`
	Check         checkCmd         `cmd:"" help:"Look through all that the server keeps: the database's pages, the change log, records, totals and keys."`
	AcceptTime    acceptTimeCmd    `cmd:"" help:"Take the database as it is after the server's clock had run ahead. The server must be stopped."`
	Erase         eraseCmd         `cmd:"" help:"Erase the personal data of one client, or all of a closed deployment, for ever: on the server, and on tablets at their next sync. A server may run meanwhile."`
	HandOver      handOverCmd      `cmd:"" help:"Seal the files of cases for the station that goes on with them. A server may run meanwhile."`
	OpenHandOver  openHandOverCmd  `cmd:"" help:"Open a file that hand-over has sealed, with the key or the passphrase that it is for."`
	Export        exportCmd        `cmd:"" help:"Write what a deployment holds into files: records and totals, all of one moment. A server may run meanwhile."`
	Recount       recountCmd       `cmd:"" help:"Count every total again from the records and the change log."`
	Archive       archiveCmd       `cmd:"" help:"Write a closed deployment into one file for years, without personal data of clients. A server may run meanwhile."`
	Verify        verifyCmd        `cmd:"" help:"Verify a certificate or an archive, each byte of it, without a server or a network."`
	OpenArchive   openArchiveCmd   `cmd:"" name:"open-archive" help:"Verify an archive and show its pages in a browser on this machine. Nothing is written."`
	Report        reportCmd        `cmd:"" help:"Report of a day, a week or a month, ready for a group chat. A server may run meanwhile."`
	CloseOut      closeOutCmd      `cmd:"" help:"Tell how far a deployment is on its way to the end: its state, the checklist, the editions of the certificate. A server may run meanwhile."`
	Certificate   certificateCmd   `cmd:"" help:"Write an edition of the certificate of a closed deployment into a file. A server may run meanwhile."`
	ClosingReport closingReportCmd `cmd:"" name:"closing-report" help:"Write the closing report of a closed deployment as a PDF or a workbook. A server may run meanwhile."`
	Bench         benchCmd         `cmd:"" help:"Measure this version on this machine."`
	Soak          soakCmd          `cmd:"" help:"Play simulated worlds of tablets and a server with every fault there is, and check that nothing is lost."`
}

// failure is an error whose message was shown already.
type failure struct{ code int }

func (f failure) Error() string { return fmt.Sprintf("exit %d", f.code) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := realMain(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func realMain(ctx context.Context, args []string) int {
	var c cli
	parser, err := kong.New(&c, append(databases, kong.Name("leveed"), kong.Description("Levee (堤): the server that merges what field teams log offline."),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.UsageOnError())...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "leveed:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		parser.FatalIfErrorf(err)
	}
	err = parsed.Run()
	var failed failure
	var refused *server.Refusal
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return 130 // interrupted before it was done, as shells have it
	case errors.As(err, &failed):
		return failed.code
	case errors.As(err, &refused):
		fmt.Fprintln(os.Stderr, refused.In(language()))
		return 1
	default:
		fmt.Fprintln(os.Stderr, "leveed:", err)
		return 1
	}
}
