//go:build !race

package localdb

const raced = false
