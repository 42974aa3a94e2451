package qr_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	goqr "github.com/piglig/go-qr"

	"levee/server/internal/qr"
)

// code is as long as an enrolment code gets.
var code = "levee1." + strings.Repeat("AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_", 5)

// TestImageSaysText reads the image as a camera would.
func TestImageSaysText(t *testing.T) {
	for _, text := range []string{"x", "服务器 http://10.0.0.5:8410", code} {
		b, err := qr.PNG(text)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if said, err := goqr.Decode(shown); err != nil || said != text {
			t.Errorf("the image says %q (%v), want %q", said, err, text)
		}
	}
}

// TestTerminalSaysText paints what the terminal shows and reads that.
func TestTerminalSaysText(t *testing.T) {
	for _, text := range []string{"x", code} {
		drawn, err := qr.Terminal(text)
		if err != nil {
			t.Fatal(err)
		}
		if said, err := goqr.Decode(painted(t, drawn)); err != nil || said != text {
			t.Errorf("the terminal says %q (%v), want %q", said, err, text)
		}
	}
}

func TestTooLongText(t *testing.T) {
	secret := strings.Repeat("secret", 1000)
	if _, err := qr.PNG(secret); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("PNG: %v", err)
	}
	if _, err := qr.Terminal(secret); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Terminal: %v", err)
	}
}

func painted(t *testing.T, drawn string) image.Image {
	t.Helper()
	const size = 4 // pixels of a module
	lines := strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")
	var canvas *image.Gray
	for row, line := range lines {
		line, black := strings.CutPrefix(line, "\x1b[30;107m")
		line, ended := strings.CutSuffix(line, "\x1b[0m")
		if !black || !ended {
			t.Fatalf("line %d leaves the colours to the terminal", row)
		}
		cells := []rune(line)
		if canvas == nil {
			canvas = image.NewGray(image.Rect(0, 0, len(cells)*size, len(lines)*2*size))
		}
		for column, cell := range cells {
			for half, dark := range []bool{cell == '█' || cell == '▀', cell == '█' || cell == '▄'} {
				for i := range size * size {
					shade := color.Gray{255}
					if dark {
						shade.Y = 0
					}
					canvas.SetGray(column*size+i%size, (row*2+half)*size+i/size, shade)
				}
			}
		}
	}
	return canvas
}
