package main

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// The service manager hears when the server is up, and when it is told to stop.
func TestTheServiceManagerIsTold(t *testing.T) {
	folder := t.TempDir()
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(folder, "s"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = manager.Close() }()
	if err := manager.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(folder, "s"))
	hears := func(want string) {
		t.Helper()
		text := make([]byte, 100)
		n, err := manager.Read(text)
		if err != nil || string(text[:n]) != want {
			t.Fatalf("%q, %v; want %q", text[:n], err, want)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- realMain(ctx, []string{"serve", "--db", filepath.Join(folder, "levee.db"), "--listen", "127.0.0.1:0", "--admin-address", "127.0.0.1:0"})
	}()
	hears("READY=1")
	stop()
	hears("STOPPING=1")
	if code := <-ended; code != 0 {
		t.Errorf("exit %d", code)
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(folder, "nobody"))
	if code := realMain(t.Context(), []string{"serve", "--db", filepath.Join(folder, "levee.db"), "--listen", "127.0.0.1:0"}); code != 1 {
		t.Errorf("it serves, though its manager waits for a word in vain: exit %d", code)
	}
}

func TestTheAdminAddressIsOfThisMachineAlone(t *testing.T) {
	folder := t.TempDir()
	for _, at := range []string{":0", "0.0.0.0:0", "[::]:0"} {
		if code := realMain(t.Context(), []string{"serve", "--db", filepath.Join(folder, "levee.db"), "--listen", "127.0.0.1:0", "--admin-address", at}); code != 1 {
			t.Errorf("%s: exit %d", at, code)
		}
	}
}
