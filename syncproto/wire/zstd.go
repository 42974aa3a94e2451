// Package wire is what both ends of a connection must do alike, below the messages: how bodies are compressed, and how
// a device proves with each request who sends it.
package wire

import (
	"bytes"
	"errors"
	"io"

	"connectrpc.com/connect"
	"github.com/klauspost/compress/zstd"
)

// Zstd is the name of the compression as it stands in the headers.
const Zstd = "zstd"

// MaxMessageBytes bounds a message after decompression, and a body before it.
const MaxMessageBytes = 4 << 20

// NewDecompressor reads zstd; its memory is bounded, whatever a frame asks for, and so is what it gives of one message.
func NewDecompressor() connect.Decompressor {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*MaxMessageBytes), zstd.WithDecoderLowmem(true))
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

// Decompress is a whole body; an error when it is more than a message may have.
func Decompress(body []byte) ([]byte, error) {
	d := NewDecompressor()
	defer func() { _ = d.Close() }() // it was only read from
	if err := d.Reset(bytes.NewReader(body)); err != nil {
		return nil, err
	}
	return io.ReadAll(d)
}

// NewCompressor writes zstd at its default level.
func NewCompressor() connect.Compressor {
	e, err := zstd.NewWriter(io.Discard, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(512<<10))
	if err != nil {
		panic("wire: zstd options: " + err.Error()) // constant options
	}
	return e
}

// HandlerOptions are those of the server's side: zstd in place of gzip, and bounds on every message.
func HandlerOptions() []connect.HandlerOption {
	return []connect.HandlerOption{
		connect.WithCompression("gzip", nil, nil),
		connect.WithCompression(Zstd, NewDecompressor, NewCompressor),
		connect.WithReadMaxBytes(MaxMessageBytes),
		// However small: a frame of zstd ends with a checksum, and a bit that flips on the way must not become a record.
		connect.WithCompressMinBytes(0),
	}
}

// ClientOptions are those of the tablet's side.
func ClientOptions() []connect.ClientOption {
	return []connect.ClientOption{
		connect.WithAcceptCompression("gzip", nil, nil),
		connect.WithAcceptCompression(Zstd, NewDecompressor, NewCompressor),
		connect.WithSendCompression(Zstd),
		connect.WithCompressMinBytes(128),
		connect.WithReadMaxBytes(MaxMessageBytes),
	}
}
