package container

import (
	"io"
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	t.Parallel()
	var out tail
	line := strings.Repeat("x", 99) + "\n"
	for range 3 * maxLogs / len(line) {
		io.WriteString(&out, line)
	}
	if got := out.last(); len(got) > maxLogs || len(got)%len(line) != 0 || cap(out.buf) > 8*maxLogs {
		t.Errorf("kept %d bytes in %d", len(got), cap(out.buf))
	}
	out.Write(make([]byte, 5*maxLogs))
	if got := out.last(); len(got) != maxLogs {
		t.Errorf("kept %d bytes", len(got))
	}
}
