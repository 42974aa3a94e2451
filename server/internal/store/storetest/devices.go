package storetest

import (
	"errors"
	"fmt"
	"testing"

	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

func testDevices(t *testing.T, db *store.DB) {
	device := syncing.Device{ID: id(3), Worker: id(8), PublicKey: make([]byte, 32), Name: "平板", App: "levee 1", EnrolledAt: 1, LastContact: 1}
	code := syncing.Enrolment{SecretHash: []byte("hash"), Worker: id(8), ExpiresAt: 9}
	inWrite(t, db, func(tx syncing.Writing) error {
		if _, ok, err := tx.Enrolment(code.SecretHash); ok || err != nil {
			t.Errorf("a code before it was made: %v", err)
		}
		return errors.Join(tx.SaveDevice(device), tx.SaveEnrolment(code))
	})
	code.UsedBy = device.ID
	inWrite(t, db, func(tx syncing.Writing) error {
		if got, ok, err := tx.Enrolment(code.SecretHash); !ok || err != nil || got.UsedBy != (hlc.ID{}) || got.ExpiresAt != 9 || got.Worker != id(8) {
			t.Errorf("code %+v, %v", got, err)
		}
		return tx.SaveEnrolment(code)
	})
	write(t, db, syncing.Changes{Contacts: []syncing.Contact{{Device: device.ID, At: 77, Unsent: 5}}})
	inWrite(t, db, func(tx syncing.Writing) error {
		if got, _, _ := tx.Enrolment(code.SecretHash); got.UsedBy != device.ID {
			t.Errorf("code %+v", got)
		}
		got, ok, err := tx.Device(device.ID)
		device.LastContact, device.Unsent = 77, 5
		if !ok || err != nil || fmt.Sprint(got) != fmt.Sprint(device) {
			t.Errorf("device %+v, %v, want %+v", got, err, device)
		}
		return err
	})
	write(t, db, syncing.Changes{Contacts: []syncing.Contact{{Device: device.ID, At: 78, App: "levee 2"}}})
	read(t, db, func(tx syncing.Reading) error {
		got, _, err := tx.Device(device.ID)
		if got.App != "levee 2" || got.Unsent != 0 {
			t.Errorf("device %+v", got)
		}
		return err
	})
}
