// Package qr draws QR codes: as an image for a page, and with characters for a terminal.
package qr

import (
	"fmt"
	"strings"

	goqr "github.com/piglig/go-qr"
)

const (
	// quiet is the light border that a camera needs to find the code, in modules.
	quiet = 4
	// scale is how many pixels wide a module of an image is: enough to be shown large without getting blurred.
	scale = 8
)

// encode makes the code. A screen has no dirt and no folds, so that the least correction will do; what the symbol has
// left over is spent on more.
func encode(text string) (*goqr.QrCode, error) {
	code, err := goqr.EncodeText(text, goqr.Low)
	if err != nil {
		return nil, fmt.Errorf("drawing a QR code of %d bytes: %w", len(text), err) // never the text: it is a secret
	}
	return code, nil
}

// PNG is the code as an image, black on white whatever is around it.
func PNG(text string) ([]byte, error) {
	code, err := encode(text)
	if err != nil {
		return nil, err
	}
	image, err := code.ToPNGBytes(goqr.NewQrCodeImgConfig(scale, quiet))
	if err != nil {
		return nil, fmt.Errorf("drawing a QR code: %w", err)
	}
	return image, nil
}

// Colours of a terminal: black on white is said, since a camera does not read every code whose colours are exchanged,
// and terminals are dark or light.
const (
	blackOnWhite = "\x1b[30;107m"
	asBefore     = "\x1b[0m"
)

// Terminal is the code for a terminal: lines of half blocks, each character two modules high, coloured by escapes.
func Terminal(text string) (string, error) {
	code, err := encode(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for y := -quiet; y < code.Size()+quiet; y += 2 {
		out.WriteString(blackOnWhite)
		for x := -quiet; x < code.Size()+quiet; x++ {
			upper, lower := code.Module(x, y), code.Module(x, y+1)
			switch {
			case upper && lower:
				out.WriteString("█")
			case upper:
				out.WriteString("▀")
			case lower:
				out.WriteString("▄")
			default:
				out.WriteString(" ")
			}
		}
		out.WriteString(asBefore + "\n")
	}
	return out.String(), nil
}
