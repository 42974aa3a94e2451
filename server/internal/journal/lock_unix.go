//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"os"
	"syscall"
)

// lock keeps other processes from writing to the file until it is unlocked.
func lock(f *os.File) (unlock func() error, err error) {
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX) //nolint:gosec // a descriptor is a small number
		if err != syscall.EINTR {                         //nolint:errorlint // a plain number
			break
		}
	}
	return func() error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }, err //nolint:gosec // a descriptor is a small number
}
