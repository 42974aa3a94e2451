package store

import "testing"

type countingDisk int

func (d *countingDisk) Flush() error { *d++; return nil }

func (*countingDisk) Close() error { return nil }

// What a transaction wrote can be read before its commit returns: who has read it waits for the disk as well.
func TestACommitThatHasNotReturnedIsNotOnTheDiskYet(t *testing.T) {
	var disk countingDisk
	d := New(nil, nil, Engine{Disk: &disk})
	durable := func(want countingDisk) {
		t.Helper()
		if err := d.Durable(); err != nil || disk != want {
			t.Errorf("%d flushes, want %d; %v", disk, want, err)
		}
	}
	durable(0)
	d.flushes.begun.Add(1)
	durable(1)
	durable(2) // the first may have come before what the second has read
	d.flushes.ended.Add(1)
	durable(3)
	durable(3)
}
