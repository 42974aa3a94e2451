package postgres

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// TestAMachineThatIsGoneIsNoticed: a connection to it does not wait for a quarter of an hour, and neither does a new one.
func TestAMachineThatIsGoneIsNoticed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	config, _, err := parse("postgres://levee@" + l.Addr().String() + ",127.0.0.1:1/levee")
	if err != nil {
		t.Fatal(err)
	}
	if config.ConnectTimeout != connectTimeout {
		t.Errorf("a host is tried for %v", config.ConnectTimeout)
	}
	conn, err := config.DialFunc(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for option, want := range map[int]time.Duration{userTimeout: silence, syscall.TCP_KEEPIDLE: silence / 3, syscall.TCP_KEEPINTVL: silence / 6} {
		unit := time.Second
		if option == userTimeout {
			unit = time.Millisecond
		}
		if cerr := raw.Control(func(fd uintptr) {
			got, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, option)
			if err != nil || time.Duration(got)*unit != want {
				t.Errorf("option %d of a connection is %d, %v; want %v", option, got, err, want)
			}
		}); cerr != nil {
			t.Error(cerr)
		}
	}
	config, _, err = parse("postgres://levee@127.0.0.1:1/levee?connect_timeout=60")
	if err != nil || config.ConnectTimeout != time.Minute {
		t.Errorf("where the operator says so: %v, %v", config.ConnectTimeout, err)
	}
}
