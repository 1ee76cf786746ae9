// Package picture makes images fit for models: of a format, a size and a number of bytes that their APIs take.
//
// What it is given comes from web pages, files and servers that nobody vouches for: dimensions are looked at before anything is decoded, and
// whatever cannot be decoded is an error. It starts no goroutine.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // registers its decoder
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // registers its decoder
)

// Limits. The side is that above which Anthropic's API scales images down itself; its limit of 5 MB is for base64.
const (
	maxSide   = 1568
	maxBytes  = 3_500_000
	maxPixels = 64 << 20 // 256 MiB once decoded
)

// ErrTooLarge is returned for an image of too many pixels.
var ErrTooLarge = errors.New("the image has too many pixels")

// Picture is an image that fits.
type Picture struct {
	MIMEType      string // image/png or image/jpeg
	Data          []byte
	Width, Height int         // as it is now
	From          image.Point // size that it had
}

// Fit returns an image (PNG, JPEG, GIF or WebP) as PNG or JPEG within the limits: as it is if it fits, else scaled down and encoded anew. Of a
// moving image it takes the first frame.
func Fit(data []byte) (Picture, error) { return fit(data, maxSide, maxBytes) }

func fit(data []byte, side, limit int) (Picture, error) {
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return Picture{}, fmt.Errorf("read image: %w", err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > maxPixels/cfg.Height {
		return Picture{}, fmt.Errorf("%w: %d × %d", ErrTooLarge, cfg.Width, cfg.Height)
	}
	size := image.Pt(cfg.Width, cfg.Height)
	if (format == "png" || format == "jpeg") && max(size.X, size.Y) <= side && len(data) <= limit {
		return Picture{"image/" + format, data, size.X, size.Y, size}, nil
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return Picture{}, fmt.Errorf("read image: %w", err)
	}
	p, err := encode(scale(img, side), format == "jpeg", limit)
	p.From = size
	return p, err
}

// scale makes the longer side at most so long.
func scale(img image.Image, side int) image.Image {
	b := img.Bounds()
	longer := max(b.Dx(), b.Dy())
	if longer <= side {
		return img
	}
	w, h := max(1, b.Dx()*side/longer), max(1, b.Dy()*side/longer)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.BiLinear.Scale(out, out.Bounds(), img, b, draw.Src, nil)
	return out
}

// encode prefers PNG, which keeps text sharp, and takes JPEG for what was one or would be too many bytes.
func encode(img image.Image, photo bool, limit int) (Picture, error) {
	p := Picture{MIMEType: "image/png", Width: img.Bounds().Dx(), Height: img.Bounds().Dy()}
	var buf bytes.Buffer
	if !photo {
		if err := png.Encode(&buf, img); err != nil {
			return Picture{}, fmt.Errorf("encode image: %w", err)
		}
		if buf.Len() <= limit {
			p.Data = buf.Bytes()
			return p, nil
		}
		buf.Reset()
	}
	if err := jpeg.Encode(&buf, onWhite(img), &jpeg.Options{Quality: 85}); err != nil {
		return Picture{}, fmt.Errorf("encode image: %w", err)
	}
	if longer := max(p.Width, p.Height); buf.Len() > limit && longer > 1 { // noise, at full size
		return encode(scale(img, longer/2), true, limit)
	}
	p.MIMEType, p.Data = "image/jpeg", buf.Bytes()
	return p, nil
}

// onWhite is what a transparent image looks like in JPEG, which would make it black.
func onWhite(img image.Image) image.Image {
	if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
		return img
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Over)
	return out
}
