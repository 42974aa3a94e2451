package record

import recordv1 "levee/syncproto/levee/record/v1"

// AgeBands are the highest ages, in years, of a deployment's age bands but the last, which is open. Where the
// deployment has set none, they are 5, 13, 17, 59 and 79: 0–5, 6–13, 14–17, 18–59, 60–79 and 80+.
func AgeBands(m *recordv1.Deployment) []uint32 {
	if bands := m.GetAgeBands(); len(bands) > 0 {
		return bands
	}
	return []uint32{5, 13, 17, 59, 79}
}

// AgeBand is the number, from 1, of the band that an age in years lies in. Number 0 stands for an unknown age.
func AgeBand(bands []uint32, age uint32) uint32 {
	band := uint32(1)
	for _, highest := range bands {
		if age > highest {
			band++
		}
	}
	return band
}
