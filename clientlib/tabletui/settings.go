package tabletui

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// settings are how a worker wants the pages. They lie beside the worker's file, readable without its key: the language is
// needed before anybody has signed in.
type settings struct {
	// Language is "zh" or "en"; empty leaves it to the browser.
	Language string `json:"language,omitempty"`
	// Text is how large text is: "", "large" or "larger".
	Text string `json:"text,omitempty"`
	// Contrast is "high" for sunlight.
	Contrast string `json:"contrast,omitempty"`
	// Metered says that the tablet also syncs by itself where the network is paid for by what goes through it.
	Metered bool `json:"metered,omitempty"`
	// Seen are conflicts to which the worker said that the other value is right, by seenAs. Ids stand in the open in her file, too.
	Seen []string `json:"seen,omitempty"`
	// Handover is how far a handover has got.
	Handover handing `json:"handover,omitzero"`
}

// settingsEnding is that of the files of settings.
const settingsEnding = ".settings"

func settingsPath(store string) string {
	return strings.TrimSuffix(store, filepath.Ext(store)) + settingsEnding
}

// readSettings reads the settings beside a store; without a file they are the usual ones, and so they are where it can't
// be read: nobody is kept from work by a setting.
func readSettings(store string) settings {
	var s settings
	b, err := os.ReadFile(settingsPath(store)) //nolint:gosec // of a name that ProfilePath lets through
	if err != nil || json.Unmarshal(b, &s) != nil {
		return settings{}
	}
	return s
}

// write puts settings on the disk, whole or not at all.
func (s settings) write(store string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	path := settingsPath(store)
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("keeping the settings: %w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path) //nolint:gosec // as above
	}
	if err != nil {
		_ = os.Remove(f.Name()) //nolint:gosec // as above
		return fmt.Errorf("keeping the settings: %w", err)
	}
	return nil
}

// lastSettings are those that were changed last in a folder: before somebody has signed in, they are the best guess.
func lastSettings(folder string) settings {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return settings{}
	}
	last, changed := "", time.Time{}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasSuffix(e.Name(), settingsEnding) && info.ModTime().After(changed) {
			last, changed = e.Name(), info.ModTime()
		}
	}
	if last == "" {
		return settings{}
	}
	return readSettings(filepath.Join(folder, last))
}
