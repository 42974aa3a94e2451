//go:build race

package world_test

// someSeeds are few under the race detector, which makes SQLite some twenty times slower.
const someSeeds = 4
