//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"errors"
	"os"
	"syscall"
)

// lock keeps other processes from writing to the file until it is unlocked.
func lock(f *os.File) (unlock func() error, err error) {
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	}
	return func() error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }, err
}
