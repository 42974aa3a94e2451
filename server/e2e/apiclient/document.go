//go:build ignore

// This program prints the document of the JSON API, from which task generate makes the client.
package main

import (
	"fmt"
	"os"

	"levee/server/internal/httpapi"
)

func main() {
	document, err := httpapi.Document()
	if err == nil {
		_, err = os.Stdout.Write(document)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
