package files

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"
)

// Bounds of one reading.
const (
	maxReadBytes = 48 << 10
	maxReadLines = 2000
	maxLineBytes = 2000
	maxImage     = 32 << 20
)

// Content is what was read: text with line numbers, or an image.
type Content struct {
	Text  string
	Image []byte // as the file has it
	Type  string // of the image
}

// Read reads lines of a file, from line first (1 if less) and at most count of them (as many as fit if 0), or an image.
func (f *Files) Read(ctx context.Context, path string, first, count int) (Content, error) {
	path, err := f.abs(path)
	if err != nil {
		return Content{}, err
	}
	file, err := f.open(path)
	if err != nil {
		return Content{}, err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 64<<10)
	start, err := r.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return Content{}, f.explain(path, err)
	}
	if kind := http.DetectContentType(start); isImage(kind) {
		return f.readImage(path, r, kind)
	}
	if bytes.IndexByte(start, 0) >= 0 {
		return Content{}, failf("%s is a binary file%s. Look at it with bash (file, xxd, strings).", f.show(path), sizeOf(file))
	}
	l := lines{first: max(first, 1), count: count}
	if l.count <= 0 || l.count > maxReadLines {
		l.count = maxReadLines
	}
	if err := l.read(ctx, r); err != nil {
		return Content{}, f.explain(path, err)
	}
	return Content{Text: l.text(f.show(path))}, nil
}

func isImage(kind string) bool {
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return true
	}
	return false
}

// open opens a regular file only.
func (f *Files) open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, f.explain(path, err)
	case info.IsDir():
		return nil, failf("%s is a directory; list_files shows what is in it.", f.show(path))
	case !info.Mode().IsRegular():
		return nil, failf("%s is no regular file (%v).", f.show(path), info.Mode())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, f.explain(path, err)
	}
	return file, nil
}

func sizeOf(file *os.File) string {
	info, err := file.Stat()
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" of %d bytes", info.Size())
}

func (f *Files) readImage(path string, r io.Reader, kind string) (Content, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxImage+1))
	if err != nil {
		return Content{}, f.explain(path, err)
	}
	if len(data) > maxImage {
		return Content{}, failf("%s is an image of more than %d MiB.", f.show(path), maxImage>>20)
	}
	return Content{Text: fmt.Sprintf("%s: %s of %d bytes", f.show(path), kind, len(data)), Image: data, Type: kind}, nil
}

// lines is a reading of some lines of a file.
type lines struct {
	first, count int

	out  strings.Builder
	last int // line that was taken last
	seen int // lines that there are, as far as is known
	cut  int // lines that were shortened
	more bool
}

func (l *lines) read(ctx context.Context, r *bufio.Reader) error {
	for {
		line, long, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil && len(line) == 0 {
			return nil
		}
		l.seen++
		if l.seen%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if l.seen >= l.first && !l.take(line, long) {
			l.more = true
			return nil
		}
	}
}

// readLine returns a line without its end, of at most maxLineBytes.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		room := maxLineBytes + 1 - len(line)
		line = append(line, part[:min(len(part), max(room, 0))]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > maxLineBytes {
			line, long = line[:maxLineBytes], true
		}
		return line, long, err
	}
}

// take adds a line, and reports false if there is no room for it.
func (l *lines) take(line []byte, long bool) bool {
	text := strings.ToValidUTF8(strings.TrimRight(string(line), "\r\n"), string(utf8.RuneError))
	if l.seen-l.first >= l.count || l.out.Len()+len(text) > maxReadBytes {
		return false
	}
	if long {
		l.cut++
		text += " […]"
	}
	fmt.Fprintf(&l.out, "%6d\t%s\n", l.seen, strings.ReplaceAll(text, "\x00", string(utf8.RuneError)))
	l.last = l.seen
	return true
}

func (l *lines) text(name string) string {
	switch {
	case l.seen == 0:
		return fmt.Sprintf("%s is empty.", name)
	case l.last == 0:
		return fmt.Sprintf("%s has %d lines only.", name, l.seen)
	}
	text := l.out.String()
	if l.cut > 0 {
		text += fmt.Sprintf("[%d lines were longer than %d bytes and cut]\n", l.cut, maxLineBytes)
	}
	if l.more {
		text += fmt.Sprintf("[there is more: read on from line %d]\n", l.last+1)
	}
	return text
}
