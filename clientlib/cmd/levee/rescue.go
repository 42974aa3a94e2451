package main

import "levee/clientlib"

// rescueCmd makes a damaged file anew.
type rescueCmd struct{}

// rescueJSON is what was rescued, as JSON has it.
type rescueJSON struct {
	// Queued is how many changes are in the outbox again, Lost how many could not be read.
	Queued int `json:"queued"`
	Lost   int `json:"lost"`
	// Damaged and Saved are where the damaged file and what was read of it lie now.
	Damaged string `json:"damaged"`
	Saved   string `json:"saved"`
}

// rescue runs without a store: the file is damaged.
func (s *session) rescue(path string, options clientlib.Options) error {
	done, err := clientlib.Rescue(s.ctx, path, options)
	if err != nil {
		return err
	}
	return s.answer(rescueJSON(done), func() {
		s.line(rescued, s.Count(changesCount, int64(done.Queued)))
		if done.Lost > 0 {
			s.line(rescueLost, s.Count(changesCount, int64(done.Lost)))
		}
		s.line(rescueKept, done.Damaged, done.Saved)
	})
}
