package webui

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/closeout"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// closeoutEndRoutes are those of what is done once a deployment is closed: its archive, and the end of all personal data in it.
func closeoutEndRoutes(r *router) {
	r.deed(pathCloseout+"/archive", access.CloseDeployment, (*visit).makeArchive)
	r.page(pathCloseout+"/archive/file", access.CloseDeployment, (*visit).archiveFile)
	r.form(pathCloseout+"/erasure", access.CloseDeployment, (*visit).eraseAll)
}

// archiveShown is where an archive is made, and the one that is kept.
type archiveShown struct {
	Make string
	// File is where it is taken from; empty while there is none.
	File, Says string
}

// archiveShown is nil for who may make none, or while there is nothing to archive.
func (v *visit) archiveShown(state recordv1.DeploymentState) *archiveShown {
	if state < stateClosed || !v.closes() || v.Archives == nil {
		return nil
	}
	shown := &archiveShown{}
	if !v.within.Closeout.Work().Running() {
		shown.Make = v.To(v.toCloseout("archive"))
	}
	if kept, ok := v.Archives.Kept(v.within.Syncing.Deployment()); ok {
		shown.File = v.To(v.toCloseout("archive", "file"))
		shown.Says = v.T("archive_kept", kept.Edition, (kept.Size+1023)/1024, v.Time(kept.Until))
	}
	return shown
}

// makeArchive has an archive made in the background.
func (v *visit) makeArchive() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	if v.Archives == nil {
		return problem.New(problem.NotFound)
	}
	id := v.within.Syncing.Deployment()
	if err := v.within.Closeout.BeginArchive(v.context(), v.reader(), func(ctx context.Context, tell closeout.Tell) error { return v.Archives.Make(ctx, id, tell) }); err != nil {
		return err
	}
	return v.done(v.toCloseout(), "")
}

// sendingTime is how long sending a large file may take: hundreds of megabytes over a slow line.
const sendingTime = 30 * time.Minute

// sendOpened sends a file to keep.
func (v *visit) sendOpened(name string, file io.ReadSeeker) error {
	_ = http.NewResponseController(v.Response()).SetWriteDeadline(time.Now().Add(sendingTime)) // where it can't be set, a slow one is cut
	v.Response().Header().Set("Content-Type", "application/octet-stream")
	v.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	http.ServeContent(v.Response(), v.Request(), "", time.Time{}, file)
	return nil
}

// archiveFile sends the archive that is kept.
func (v *visit) archiveFile() error {
	id := v.within.Syncing.Deployment()
	if v.Archives == nil {
		return problem.New(problem.NotFound)
	}
	kept, ok := v.Archives.Kept(id)
	if !ok {
		return problem.New(problem.NotFound)
	}
	file, err := v.Archives.Open(id)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	return v.sendOpened(fmt.Sprintf("levee-archive-%d.levee", kept.Edition), file)
}

// eraseAll erases all personal data of the deployment in the background, once one has read what that means; before its day one types
// the deployment's name.
func (v *visit) eraseAll() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	if v.Erase == nil {
		return problem.New(problem.NotFound)
	}
	if v.within.Closeout.State() != stateClosed {
		return problem.New(problem.WrongState)
	}
	d, id, by := v.within.Syncing.SetUp().Deployment, v.within.Syncing.Deployment(), v.reader()
	day := record.Date(d.GetEraseOn())
	early := !day.Valid() || v.today() < day
	f := v.form("submit_erase_all")
	f.Danger = true
	var lead []string
	if early {
		lead = append(lead, v.T("erase_early_undated"))
		if day.Valid() {
			lead[0] = v.T("erase_early", v.Date(day))
		}
		f.add(&field{Name: "name_again", Required: true, Hint: v.T("erase_name_hint", d.GetName())})
	}
	show := func() error {
		consequences := []string{v.T("erase_all_what"), v.T("erase_all_stays"), v.T("erase_all_tablets"), v.T("erase_all_backups"), v.T("erase_all_late"), v.T("erase_all_archived")}
		return v.show("confirm", &page{Title: v.T("title_erase_all"), Lead: lead, Form: f, Body: confirmBody{consequences, v.To(v.toCloseout())}})
	}
	if !v.filled(f) {
		return show()
	}
	if early && f.value("name_again") != d.GetName() {
		f.wrong("name_again", v.T("wrong_name_again"))
		return show()
	}
	err := v.within.Closeout.BeginErasing(by, func(ctx context.Context, tell closeout.Tell) error { return v.Erase(ctx, id, by.Actor, early, tell) })
	if err != nil {
		return v.refused(err, f, nil, show)
	}
	return v.done(v.toCloseout(), "")
}
