package certificate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Records are the records that carry a file.
func Records(edition int, b []byte) ([]*recordv1.Certificate, error) {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, err
	}
	packed := encoder.EncodeAll(b, nil)
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	parts := slices.Collect(slices.Chunk(packed, record.MaxDocumentBytes))
	all := make([]*recordv1.Certificate, len(parts))
	for i, part := range parts {
		all[i] = &recordv1.Certificate{Edition: proto.Uint32(uint32(edition)), Document: part, Part: proto.Uint32(uint32(i + 1)), Parts: proto.Uint32(uint32(len(parts)))} //nolint:gosec // small numbers
	}
	return all, nil
}

// FromRecords are the files that records carry, by edition. Of an edition that lacks a part there is none.
func FromRecords(records []*recordv1.Certificate) (map[int][]byte, error) {
	parts := map[int][]*recordv1.Certificate{}
	for _, r := range records {
		if !r.GetDeleted() {
			edition := int(r.GetEdition())
			parts[edition] = append(parts[edition], r)
		}
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxBytes), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	files := map[int][]byte{}
	for edition, of := range parts {
		slices.SortFunc(of, func(a, b *recordv1.Certificate) int { return cmp.Compare(a.GetPart(), b.GetPart()) })
		var packed []byte
		whole := len(of) == int(of[0].GetParts())
		for i, r := range of {
			whole = whole && int(r.GetPart()) == i+1
			packed = append(packed, r.GetDocument()...)
		}
		if !whole {
			continue
		}
		if files[edition], err = decoder.DecodeAll(packed, nil); err != nil {
			return nil, fmt.Errorf("certificate, edition %d: %w", edition, err)
		}
	}
	return files, nil
}
