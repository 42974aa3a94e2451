//go:build !race

package clientlib_test

const raced = false
