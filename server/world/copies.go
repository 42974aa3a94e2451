package world

import (
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"

	"levee/syncproto/hlc"
)

// tabletCopy is an older state of a tablet's file.
type tabletCopy struct {
	image
	told map[hlc.ID]told
}

func (t *tablet) copy() (tabletCopy, error) {
	m, err := copyOf(t.path)
	if err != nil {
		return tabletCopy{}, err
	}
	err = t.each(`SELECT replica FROM tablet`, func(r *sql.Rows) error {
		var replica int64
		err := r.Scan(&replica)
		t.w.copied[replica] = true
		return err
	})
	return tabletCopy{m, maps.Clone(t.told)}, err
}

// keepCopy keeps a tablet's file as it is now.
func (t *tablet) keepCopy() error {
	c, err := t.copy()
	t.w.say("  the file of %s is copied", t.name)
	t.copies = append(t.copies, c)
	return err
}

// rollBack makes a tablet's file an older one again. What was logged since on it is gone, unless the server has it.
func (t *tablet) rollBack(r *rand.Rand) error {
	if len(t.copies) == 0 {
		return nil
	}
	c := oneOf(r, t.copies...)
	t.w.met(TabletRolledBack)
	t.w.say("  the file of %s is an older copy again, with %d changes", t.name, len(c.told))
	t.told = maps.Clone(c.told)
	return t.become(c.image)
}

// mostTablets is how many there are at most, clones included.
const mostTablets = 7

// clone lets a tablet live on twice: from its file as it is, or as it was.
func (t *tablet) clone(r *rand.Rand) error {
	if len(t.w.tablets) >= mostTablets {
		return nil
	}
	c, err := t.copy()
	if err != nil {
		return err
	}
	if len(t.copies) > 0 && r.IntN(2) == 0 {
		c = oneOf(r, t.copies...)
	}
	t.w.met(TabletCloned)
	t.w.say("  the tablet of %s is cloned, with %d changes", t.name, len(c.told))
	other := &tablet{w: t.w, name: fmt.Sprintf("%s'%d", t.name, t.w.opened), role: t.role, number: t.w.opened, told: maps.Clone(c.told), off: t.off}
	other.path = filepath.Join(t.w.dir, fmt.Sprintf("%d.db", other.number))
	t.w.opened++
	t.w.tablets = append(t.w.tablets, other)
	return other.become(c.image)
}
