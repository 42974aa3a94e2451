// Package wire is what both ends of a connection must do alike, below the messages: how bodies are compressed, and how
// a device proves with each request who sends it.
package wire

import (
	"io"

	"connectrpc.com/connect"
	"github.com/klauspost/compress/zstd"
)

// Zstd is the name of the compression as it stands in the headers.
const Zstd = "zstd"

// MaxMessageBytes bounds a message after decompression, and a body before it.
const MaxMessageBytes = 4 << 20

// NewDecompressor reads zstd; its memory is bounded, whatever a frame asks for.
func NewDecompressor() connect.Decompressor {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*MaxMessageBytes), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic("wire: zstd options: " + err.Error()) // constant options
	}
	return &decompressor{d}
}

// decompressor keeps a decoder that Connect puts back into its pool after Close: the decoder's own Close would end it.
type decompressor struct{ *zstd.Decoder }

func (d *decompressor) Close() error { return d.Reset(nil) }

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
		connect.WithCompressMinBytes(128),
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
