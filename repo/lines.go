package repo

import "bytes"

const maxLine = 4 << 10 // bytes of one line that are kept

// Lines returns a writer that calls each for every line written to it, without its end. A line ends with a newline or, as
// git's progress does, with a carriage return; empty lines are left out and long ones cut. Not safe for concurrent use.
func Lines(each func(line string)) *LineWriter { return &LineWriter{each: each} }

// LineWriter is what [Lines] returns.
type LineWriter struct {
	each func(string)
	line []byte
}

// Write never fails.
func (w *LineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		i := bytes.IndexAny(p, "\r\n")
		if i < 0 {
			break
		}
		w.add(p[:i])
		w.Flush()
		p = p[i+1:]
	}
	w.add(p)
	return n, nil
}

func (w *LineWriter) add(p []byte) {
	w.line = append(w.line, p[:min(len(p), maxLine-len(w.line))]...)
}

// Flush hands over a last line that had no end.
func (w *LineWriter) Flush() {
	if line := bytes.TrimRight(w.line, " \t"); len(line) > 0 {
		w.each(string(line))
	}
	w.line = w.line[:0]
}
