package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// healthTime is how long a server that is well may take to say so.
const healthTime = 5 * time.Second

// healthCmd asks a server on this machine whether it is well: for containers and scripts.
type healthCmd struct {
	AdminAddress string `help:"Admin address of the server." default:"127.0.0.1:8411" env:"LEVEE_ADMIN_ADDRESS" placeholder:"HOST:PORT"`
}

// Run asks.
func (c *healthCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.AdminAddress+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: &http.Transport{}}).Do(request) // through no proxy: it is on this machine
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return errors.New("the server is not ready: its log says why")
	}
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}
