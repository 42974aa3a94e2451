package wire_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"levee/syncproto/wire"
)

// coded is a message as a compressor makes it, written in pieces.
func coded(t testing.TB, c connect.Compressor, plain []byte, piece int) []byte {
	t.Helper()
	var b bytes.Buffer
	c.Reset(&b)
	for len(plain) > 0 {
		n := min(piece, len(plain))
		if _, err := c.Write(plain[:n]); err != nil {
			t.Fatal(err)
		}
		plain = plain[n:]
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Messages of all sizes come back, whatever is in them, also through a compressor and a decompressor that had others before.
func TestPackedMessagesComeBack(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 9000)
	_, _ = random.Read(noise)
	text := []byte(strings.Repeat("曹大娘坐在门槛上说起泡坏的缝纫机，要等水利站的人。", 120))
	mixed := bytes.Clone(noise)
	for at := 100; at < len(mixed)-400; at += 700 {
		copy(mixed[at:], text[at:at+250])
	}
	dictionary := wire.DictionaryOne[len(wire.DictionaryOne)-9000:]
	c, d := wire.NewLevee1Compressor(), wire.NewLevee1Decompressor()
	for what, from := range map[string][]byte{"noise": noise, "text": text, "text in noise": mixed, "zeros": make([]byte, 9000), "the dictionary": dictionary} {
		for _, size := range []int{0, 1, 3, 4, 5, 16, 17, 31, 32, 33, 255, 256, 257, 700, 1023, 1024, 1500, 4094, 4095, 4096, 4097, 9000} {
			plain := from[:size]
			sent := coded(t, c, plain, 1+size/3)
			if got, err := decompress(d, sent); err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%d bytes of %s come back as %d, %v", size, what, len(got), err)
			}
			if len(sent) > size+32 {
				t.Errorf("%d bytes of %s become %d", size, what, len(sent))
			}
		}
	}
}

// A small message has no repetitions of its own: the dictionary gives it some.
func TestTheDictionaryMakesSmallMessagesSmaller(t *testing.T) {
	plain := []byte("今天去了三户人家，老人身体还好，孩子已经回到学校，屋里还缺被子。")
	with, without := coded(t, wire.NewLevee1Compressor(), plain, len(plain)), coded(t, wire.NewCompressor(), plain, len(plain))
	if len(with)+20 > len(without) {
		t.Errorf("%d bytes with the dictionary, %d without", len(with), len(without))
	}
	if _, err := decompress(wire.NewDecompressor(), with); err == nil {
		t.Error("it was read without the dictionary")
	}
}

// FuzzPack: whatever is packed comes back.
func FuzzPack(f *testing.F) {
	f.Add([]byte("今天去了三户人家"), uint16(3))
	f.Add(bytes.Repeat([]byte{0}, 300), uint16(300))
	f.Add(wire.DictionaryOne[3000:5000], uint16(1))
	c, d := wire.NewLevee1Compressor(), wire.NewLevee1Decompressor()
	f.Fuzz(func(t *testing.T, plain []byte, piece uint16) {
		sent := coded(t, c, plain, max(1, int(piece)))
		if got, err := decompress(d, sent); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%x comes back as %x, %v", plain, got, err)
		}
	})
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestACompressorSaysThatNothingWasWritten(t *testing.T) {
	for _, size := range []int{10, 5000, 400_000} {
		c := wire.NewLevee1Compressor()
		c.Reset(broken{})
		_, err := c.Write(make([]byte, size))
		if err := errors.Join(err, c.Close()); !errors.Is(err, errBroken) {
			t.Errorf("%d bytes: %v", size, err)
		}
		c.Reset(io.Discard)
		if _, err := c.Write([]byte("x")); err != nil {
			t.Errorf("the next message: %v", err)
		}
	}
}
