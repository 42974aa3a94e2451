//go:build !race

package world_test

// someSeeds keep go test ./... short, and are enough for every sort of fault.
const someSeeds = enough
