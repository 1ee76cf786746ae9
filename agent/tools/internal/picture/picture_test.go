package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noise(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(r.Uint32())
	}
	return img
}

func encoded(t *testing.T, img image.Image, format string) []byte {
	t.Helper()
	var buf bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&buf, img)
	case "jpeg":
		err = jpeg.Encode(&buf, img, nil)
	case "gif":
		err = gif.Encode(&buf, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestFit(t *testing.T) {
	t.Parallel()
	const limit = 20_000
	for _, test := range []struct {
		name     string
		data     []byte
		mime     string
		w, h     int
		asItIs   bool
		original image.Point
	}{
		{"small PNG", encoded(t, noise(20, 10), "png"), "image/png", 20, 10, true, image.Pt(20, 10)},
		{"small JPEG", encoded(t, noise(20, 10), "jpeg"), "image/jpeg", 20, 10, true, image.Pt(20, 10)},
		{"GIF", encoded(t, noise(20, 10), "gif"), "image/png", 20, 10, false, image.Pt(20, 10)},
		{"wide", encoded(t, image.NewGray(image.Rect(0, 0, 400, 20)), "png"), "image/png", 200, 10, false, image.Pt(400, 20)},
		{"a line", encoded(t, image.NewGray(image.Rect(0, 0, 1, 5000)), "png"), "image/png", 1, 200, false, image.Pt(1, 5000)},
		{"large photo", encoded(t, image.NewGray(image.Rect(0, 0, 300, 300)), "jpeg"), "image/jpeg", 200, 200, false, image.Pt(300, 300)},
		{"many bytes", encoded(t, noise(100, 100), "png"), "image/jpeg", 100, 100, false, image.Pt(100, 100)},
		{"too many bytes", encoded(t, noise(200, 200), "png"), "image/jpeg", 100, 100, false, image.Pt(200, 200)},
	} {
		p, err := fit(test.data, 200, limit)
		if err != nil || p.MIMEType != test.mime || p.Width != test.w || p.Height != test.h || p.From != test.original || bytes.Equal(p.Data, test.data) != test.asItIs {
			t.Errorf("%s: %v, %s %dx%d from %v, %d bytes", test.name, err, p.MIMEType, p.Width, p.Height, p.From, len(p.Data))
		}
		if len(p.Data) > limit {
			t.Errorf("%s: %d bytes", test.name, len(p.Data))
		}
		if cfg, _, err := image.DecodeConfig(bytes.NewReader(p.Data)); err != nil || cfg.Width != test.w {
			t.Errorf("%s: it cannot be read: %v", test.name, err)
		}
	}
}

func TestFitRefuses(t *testing.T) {
	t.Parallel()
	bomb := encoded(t, image.NewGray(image.Rect(0, 0, 1, 1)), "png")
	binary.BigEndian.PutUint32(bomb[16:], 100_000) // width and height of the header chunk
	binary.BigEndian.PutUint32(bomb[20:], 100_000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	if _, err := Fit(bomb); !errors.Is(err, ErrTooLarge) {
		t.Errorf("bomb: %v", err)
	}
	whole := encoded(t, noise(2000, 10), "png")
	if p, err := Fit(whole); err != nil || p.Width != maxSide {
		t.Errorf("%d wide, %v", p.Width, err)
	}
	for name, data := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "cut": whole[:len(whole)/2]} {
		if _, err := Fit(data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTransparentBecomesWhite(t *testing.T) {
	t.Parallel()
	img := onWhite(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	if r, g, b, _ := img.At(0, 0).RGBA(); color.RGBA64Model.Convert(img.At(0, 0)) == nil || r != 0xffff || g != 0xffff || b != 0xffff {
		t.Errorf("%v", img.At(0, 0))
	}
}

func FuzzFit(f *testing.F) {
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\r\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if cfg, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && cfg.Width*cfg.Height < 1<<20 {
			_, _ = Fit(data)
		}
	})
}
