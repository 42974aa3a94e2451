// Package wire is what both ends of a connection must do alike, below the messages: how bodies are compressed, and how
// a device proves with each request who sends it.
package wire

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"connectrpc.com/connect"
	"github.com/klauspost/compress/zstd"
)

// Names of the codings as they stand in the headers.
const (
	// Zstd is zstd without a dictionary.
	Zstd = "zstd"
	// Levee1 is zstd whose frames may name the dictionary DictionaryOne.
	Levee1 = "levee-1"
)

// MaxMessageBytes bounds a message after decompression, and a body before it.
const MaxMessageBytes = 4 << 20

// NewDecompressor reads zstd; its memory is bounded, whatever a frame asks for, and so is what it gives of one message.
func NewDecompressor() connect.Decompressor { return newDecompressor() }

// NewLevee1Decompressor does as NewDecompressor, and knows the dictionary.
func NewLevee1Decompressor() connect.Decompressor {
	return newDecompressor(zstd.WithDecoderDicts(DictionaryOne))
}

func newDecompressor(options ...zstd.DOption) *decompressor {
	d, err := zstd.NewReader(nil, append(options, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*MaxMessageBytes), zstd.WithDecoderLowmem(true))...)
	if err != nil {
		panic("wire: zstd options: " + err.Error()) // constant options
	}
	return &decompressor{decoder: d}
}

// errTooLarge: Connect would read a message that is too large to its end, to say how large it is. Four MiB of zstd can be
// 128 GiB.
var errTooLarge = errors.New("more than a message may have")

// decompressor gives at most one byte more than a message may have, so that Connect finds it too large.
type decompressor struct {
	decoder *zstd.Decoder
	given   int
}

func (d *decompressor) Read(p []byte) (int, error) {
	left := MaxMessageBytes + 1 - d.given
	if left == 0 {
		return 0, errTooLarge
	}
	n, err := d.decoder.Read(p[:min(len(p), left)])
	d.given += n
	return n, err
}

func (d *decompressor) Reset(from io.Reader) error {
	d.given = 0
	return d.decoder.Reset(from)
}

// Close keeps the decoder, since Connect puts it back into its pool: the decoder's own Close would end it.
func (d *decompressor) Close() error { return d.Reset(nil) }

// Checked reports whether bodies in a coding end with a checksum.
func Checked(coding string) bool { return coding == Zstd || coding == Levee1 }

// Decompress is a whole body in a coding, or without one; an error when it is more than a message may have.
func Decompress(coding string, body []byte) ([]byte, error) {
	if !Checked(coding) {
		return body, nil
	}
	d := newDecompressor(zstd.WithDecoderDicts(DictionaryOne))
	defer func() { _ = d.Close() }() // it was only read from
	if err := d.Reset(bytes.NewReader(body)); err != nil {
		return nil, err
	}
	return io.ReadAll(d)
}

// NewCompressor writes zstd at its default level.
func NewCompressor() connect.Compressor { return newStream() }

func newStream() *zstd.Encoder {
	e, err := zstd.NewWriter(io.Discard, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(512<<10))
	if err != nil {
		panic("wire: zstd options: " + err.Error()) // constant options
	}
	return e
}

// NewLevee1Compressor packs small messages with the dictionary, and writes others as NewCompressor does.
func NewLevee1Compressor() connect.Compressor { return &levee1Compressor{packer: newPacker()} }

type levee1Compressor struct {
	to     io.Writer
	packer *packer
	// small is what was written while it is small enough to be packed, packed its frame.
	small, packed []byte
	// stream takes what is larger; nil while that is small.
	stream *zstd.Encoder
}

// streams are those that nobody writes to. One takes some MB, most messages need none, and each client has compressors of its own.
var streams = sync.Pool{New: func() any { return newStream() }}

func (c *levee1Compressor) Reset(to io.Writer) { c.to, c.small, c.stream = to, c.small[:0], nil }

func (c *levee1Compressor) Write(b []byte) (int, error) {
	if c.stream == nil && len(c.small)+len(b) <= maxSmall {
		c.small = append(c.small, b...)
		return len(b), nil
	}
	if c.stream == nil {
		c.stream = streams.Get().(*zstd.Encoder) //nolint:forcetypeassert // it has nothing else
		c.stream.Reset(c.to)
		if _, err := c.stream.Write(c.small); err != nil {
			return 0, err
		}
	}
	return c.stream.Write(b)
}

func (c *levee1Compressor) Close() error {
	if c.stream != nil {
		err := c.stream.Close()
		c.stream.Reset(nil) // it keeps no reference
		streams.Put(c.stream)
		c.stream = nil
		return err
	}
	c.packed = c.packer.pack(c.packed[:0], c.small)
	_, err := c.to.Write(c.packed)
	return err
}

// HandlerOptions are those of the server's side: zstd in place of gzip, with and without the dictionary, and bounds on every
// message.
func HandlerOptions() []connect.HandlerOption {
	return []connect.HandlerOption{
		connect.WithCompression("gzip", nil, nil),
		connect.WithCompression(Zstd, NewDecompressor, NewCompressor),
		connect.WithCompression(Levee1, NewLevee1Decompressor, NewLevee1Compressor),
		connect.WithReadMaxBytes(MaxMessageBytes),
		// However small: a frame of zstd ends with a checksum, and a bit that flips on the way must not become a record.
		connect.WithCompressMinBytes(0),
	}
}

// ClientOptions are those of a client that does not know the dictionary.
func ClientOptions() []connect.ClientOption {
	return clientOptions(Zstd, NewDecompressor, NewCompressor)
}

func clientOptions(coding string, decompressor func() connect.Decompressor, compressor func() connect.Compressor) []connect.ClientOption {
	return []connect.ClientOption{
		connect.WithAcceptCompression("gzip", nil, nil),
		connect.WithAcceptCompression(coding, decompressor, compressor),
		connect.WithSendCompression(coding),
		connect.WithCompressMinBytes(128),
		connect.WithReadMaxBytes(MaxMessageBytes),
	}
}
