package clientlib

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"levee/clientlib/internal/localdb"
)

// Profile is one worker's file among those of several workers who share a tablet. Each has its own key: what one of them
// logged, no other can open, and nothing that is done with one touches another.
type Profile struct {
	// Name is the file's, without its ending.
	Name string
	// Path is what Open takes.
	Path string
	// Worker and Deployment are the names of whose it is; empty while that is not known.
	Worker, Deployment string
	// Code is why it can't be opened, such as key_destroyed; "" when a key can.
	Code string
}

// profileEnding is that of the files of profiles.
const profileEnding = ".db"

// longestProfile is the longest name of a profile, in characters.
const longestProfile = 40

// ProfilePath is where the file of a profile lies in a folder, be it there or not; code profile_name when there can be none
// of this name. A name is of letters and digits of any script, -, _ and spaces within.
func ProfilePath(folder, name string) (string, error) {
	bad := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("-_ ", r)
	}
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > longestProfile || strings.ContainsFunc(name, bad) || strings.TrimSpace(name) != name {
		return "", &Error{CodeProfileName, nil}
	}
	return filepath.Join(folder, name+profileEnding), nil
}

// Profiles are the profiles in a folder, by name. No key is needed to see them, and nothing is opened.
func Profiles(folder string) ([]Profile, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("looking for profiles: %w", err)
	}
	var found []Profile
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), profileEnding)
		if !ok || !e.Type().IsRegular() {
			continue
		}
		path, err := ProfilePath(folder, name)
		if err != nil {
			continue // not one that was made here
		}
		label, err := localdb.LabelOf(path)
		p := Profile{Name: name, Path: path, Worker: label.Worker, Deployment: label.Deployment}
		if err != nil {
			p.Code = Code(known(err))
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b Profile) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

// HasKey reports whether a key lies beside a file. Where none does, the one with which it is opened first becomes its key.
func HasKey(path string) bool {
	_, err := localdb.LabelOf(path)
	return !errors.Is(err, localdb.ErrKeyMissing)
}
