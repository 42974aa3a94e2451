package postgres

import (
	"syscall"
	"time"
)

// userTimeout is TCP_USER_TIMEOUT of tcp(7), which package syscall lacks.
const userTimeout = 18

// giveUpAfter bounds how long a connection waits until what was sent has arrived: the system alone would send it again for a quarter
// of an hour.
func giveUpAfter(fd uintptr, d time.Duration) error {
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(d.Milliseconds()))
}
