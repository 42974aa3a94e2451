//go:build race

package localdb

// raced says that the race detector is on, which makes SQLite some twenty times slower.
const raced = true
