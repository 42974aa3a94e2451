//go:build !linux

package sqlite

import "os"

// sync has the disk take what was written to a file.
func sync(f *os.File) error { return f.Sync() }
