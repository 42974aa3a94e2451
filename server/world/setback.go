package world

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"levee/server"
)

// copied is an older state of the server's database.
type copied struct {
	image
	// backup is the path of a backup that the server made; empty for a copied file.
	backup string
}

// mostCopies is how many older states are kept.
const mostCopies = 6

// backUp keeps the database as it is now: by a copy of its file, or by the server's own backup.
func (h *host) backUp(r *rand.Rand) error {
	var c copied
	var err error
	if r.IntN(2) == 0 && h.postgres == nil {
		c.backup = filepath.Join(h.w.dir, fmt.Sprintf("backup-%d.db", h.w.wall().UnixMilli()))
		_, err = server.Backup(h.w.ctx, h.path, c.backup, true)
		h.w.say("  the server's database is backed up")
	} else {
		c.image, err = h.copied()
		h.w.say("  the server's database is copied")
	}
	if err != nil {
		return h.w.broken("the backup fails: %v", err)
	}
	h.copies = append(h.copies, c)
	if len(h.copies) > mostCopies {
		h.copies = h.copies[1:]
	}
	return nil
}

// setBack makes the database an older one again. The tablets are not told.
func (h *host) setBack(r *rand.Rand) error {
	if r.IntN(3) == 0 && h.postgres == nil {
		now, err := copyOf(h.path)
		if err != nil {
			return err
		}
		if standby, ok := now.lagging(1 + r.IntN(12)); ok {
			h.w.say("  a standby that lags is promoted")
			return h.fallBack(SetBackStandby, func() error { return standby.write(h.path) })
		}
	}
	if len(h.copies) == 0 {
		return nil
	}
	c := oneOf(r, h.copies...)
	if c.backup != "" {
		h.w.say("  a backup is restored")
		return h.fallBack(SetBackRestore, func() error {
			_, err := server.Restore(h.w.ctx, c.backup, h.path, server.RestoreOptions{Keys: h.keys, Wall: h.wall})
			return err
		})
	}
	h.w.say("  an older copy of the server's database is put in place")
	return h.fallBack(SetBackCopy, func() error { return h.put(c.image) })
}

// fallBack loses what happened since an older state.
func (h *host) fallBack(f Fault, put func() error) error {
	log, err := h.log()
	if err != nil {
		return err
	}
	if err := h.allowed.learn(log, h.w.made.workers); err != nil {
		return err
	}
	if err := h.close(); err != nil {
		return err
	}
	if err := put(); err != nil {
		return h.w.broken("the server is not set back: %v", err)
	}
	h.w.met(f)
	if h.setBacks++; h.setBacks > 1 {
		h.w.met(SetBackAgain)
	}
	clear(h.promised)
	return h.start()
}

// runAhead sets the server's clock wrong; the next time right, together with an older database: who let the wrong times in
// wants to be rid of them.
func (h *host) runAhead(r *rand.Rand) error {
	if h.sane != nil {
		return h.setRight()
	}
	now, err := h.copied()
	if err != nil {
		return err
	}
	h.sane = &now
	h.off.Store(oneOf(r, time.Hour, 20*time.Minute, 40*24*time.Hour).Milliseconds() + r.Int64N(time.Hour.Milliseconds()))
	h.w.say("  the server's clock goes to %s", h.wall().UTC().Format("2006-01-02 15:04:05"))
	return nil
}

func (h *host) setRight() error {
	sane := *h.sane
	h.sane, h.copies = nil, nil // later copies have times to come in them
	h.off.Store(0)
	h.w.say("  the server's clock is set right, and its database is the one from before")
	return h.fallBack(ServerAhead, func() error { return h.put(sane) })
}
