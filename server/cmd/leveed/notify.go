package main

import (
	"net"
	"os"
)

// notify tells the service manager how far the server is, as sd_notify(3) does: "READY=1", "STOPPING=1". Where none started it,
// nobody is told.
func notify(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"}) // a name that begins with @ is in no folder
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte(state))
	return err
}
