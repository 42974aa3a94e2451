package sqlite

import (
	"os"
	"syscall"
)

// sync has the disk take what was written to a file, but for its times.
func sync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
