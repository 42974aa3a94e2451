package tabletui

import (
	"levee/clientlib"
)

// lost are the conflicts in which a value of this worker lost, and which she has not answered.
func (v *visit) lost() ([]clientlib.Conflict, error) { return nil, nil }
