package wire

import (
	"bytes"
	"sync"

	"google.golang.org/protobuf/proto"
)

// Shared is what the messages to many end in: it is encoded once for all of them, and compressed once. That can be, since of messages of
// protobuf and of frames of zstd what stands one behind the other is one.
type Shared struct {
	encoded []byte
	packed  func() []byte
}

// Share encodes the fields of a message for other messages of its type to end in.
func Share(m proto.Message) (*Shared, error) {
	encoded, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	return &Shared{encoded: encoded, packed: sync.OnceValue(func() []byte {
		var b bytes.Buffer
		c := NewCompressor()
		c.Reset(&b)
		_, _ = c.Write(encoded) // into memory, which takes everything
		_ = c.Close()
		return b.Bytes()
	})}, nil
}

// Large reports whether the messages are better off with this behind them. Smaller ones take fewer bytes when they are packed as a whole.
func (s *Shared) Large() bool { return len(s.encoded) > maxSmall }

// AddTo puts the fields into a message.
func (s *Shared) AddTo(m proto.Message) error {
	return proto.UnmarshalOptions{Merge: true}.Unmarshal(s.encoded, m)
}

// In is what is to stand behind a message that is written in a coding.
func (s *Shared) In(coding string) []byte {
	if Checked(coding) {
		return s.packed()
	}
	return s.encoded
}
