package postgres

import (
	"net"
	"syscall"
	"time"
)

// A machine that is gone answers nothing: another host of the address is tried after connectTimeout, and what was sent to it on a
// connection that stood is given up after silence.
const (
	connectTimeout = 5 * time.Second
	silence        = 30 * time.Second
)

// dialer makes connections that notice it.
var dialer = net.Dialer{
	KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 3, Interval: silence / 6, Count: 4},
	Control: func(network, _ string, c syscall.RawConn) (err error) {
		if network == "unix" {
			return nil
		}
		cerr := c.Control(func(fd uintptr) { err = giveUpAfter(fd, silence) })
		if err == nil {
			err = cerr
		}
		return err
	},
}
