//go:build !race

package servertest

// Raced says that the race detector is on, which makes SQLite some twenty times slower.
const Raced = false
