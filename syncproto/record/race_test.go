//go:build race

package record_test

// raced: the race detector makes everything slower and larger by a factor that nobody knows.
const raced = true
