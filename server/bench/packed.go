package bench

import (
	"encoding/binary"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// packed is how many bytes rows have, a batch after the other, in the tightest way in which one would write them by hand: a
// CBOR array (RFC 8949) a row of 13 columns, ids as 16 bytes, enumerations and the place's code as integers; deployment, team
// and worker once for the batch; then zstd at its default level. Neither stamps nor hashes nor signatures are in it.
func packed(deployment []byte, rows []row) (int, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0, err
	}
	size := 0
	for len(rows) > 0 {
		n := min(len(rows), batchSize)
		first := rows[0].visit
		b := cborHead(nil, cborArray, 4)
		for _, id := range [][]byte{deployment, first.GetTeam(), first.GetAuthor()} {
			b = cborText(b, cborBytes, string(id))
		}
		b = cborHead(b, cborArray, uint64(n))
		for _, r := range rows[:n] {
			if b, err = packRow(b, r); err != nil {
				return 0, err
			}
		}
		size += len(encoder.EncodeAll(b, nil))
		rows = rows[n:]
	}
	return size, encoder.Close()
}

func packRow(b []byte, r row) ([]byte, error) {
	v := r.visit
	code, err := strconv.ParseUint(v.GetPlace().GetCode(), 10, 64)
	if err != nil {
		return nil, err
	}
	b = cborHead(b, cborArray, 13)
	b = cborText(b, cborBytes, string(r.id[:]))
	b = cborText(b, cborBytes, string(v.GetSite()))
	for _, n := range []uint64{uint64(v.GetOccurredOn()), code, uint64(v.GetPlace().GetEdition())} { //nolint:gosec // none is negative
		b = cborHead(b, cborNumber, n)
	}
	b = cborText(b, cborString, v.GetPlace().GetVillage())
	for _, n := range []uint64{uint64(v.GetStatus()), uint64(v.GetServiceArea()), uint64(v.GetEntry()), uint64(v.GetMode()), uint64(v.GetHouseholds())} { //nolint:gosec // none is negative
		b = cborHead(b, cborNumber, n)
	}
	b = cborText(b, cborString, v.GetNeeds())
	return cborHead(b, cborNumber, uint64(v.GetFollow())), nil //nolint:gosec // not negative
}

// Major types of CBOR.
const (
	cborNumber byte = 0 << 5
	cborBytes  byte = 2 << 5
	cborString byte = 3 << 5
	cborArray  byte = 4 << 5
)

// cborHead appends a major type with its number in the fewest bytes.
func cborHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, major|27), n)
	}
}

func cborText(b []byte, major byte, text string) []byte {
	return append(cborHead(b, major, uint64(len(text))), text...)
}
