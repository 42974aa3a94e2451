package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// sync has the disk take what was written to a file, but for its times.
func sync(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
