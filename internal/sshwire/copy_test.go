package sshwire

import (
	"bytes"
	"io"
	"testing"
)

// chunks is a source of one piece for each read, which has only Read.
type chunks [][]byte

func (c *chunks) Read(p []byte) (int, error) {
	if len(*c) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*c)[0])
	if (*c)[0] = (*c)[0][n:]; len((*c)[0]) == 0 {
		*c = (*c)[1:]
	}
	return n, nil
}

// writes notes the length of each write.
type writes struct {
	bytes.Buffer
	lengths []int
}

func (w *writes) Write(p []byte) (int, error) {
	w.lengths = append(w.lengths, len(p))
	return w.Buffer.Write(p)
}

func TestCopyPassesATransferOnInWholePackets(t *testing.T) {
	for _, tt := range []struct {
		name      string
		taken     int32 // of the buffers that may wait
		maxWrites int
	}{
		{"a buffer to keep", 0, 2 + 100},
		{"none to keep", maxKept, 2*100 + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kept.Add(tt.taken)
			defer kept.Add(-tt.taken)
			var want bytes.Buffer
			var src chunks
			for i := range 100 {
				packet := bytes.Repeat([]byte{byte(i)}, maxPacket)
				want.Write(packet)
				src = append(src, packet)
			}
			src = append(src, []byte("end"))
			want.WriteString("end")
			var dst writes
			if _, err := copyLazily(&dst, &src); err != nil || !bytes.Equal(dst.Bytes(), want.Bytes()) {
				t.Fatalf("copied %d bytes, %v; want %d", dst.Len(), err, want.Len())
			}
			if len(dst.lengths) > tt.maxWrites {
				t.Errorf("%d writes for 100 packets, want at most %d: %v", len(dst.lengths), tt.maxWrites, dst.lengths[:10])
			}
			if n := kept.Load(); n != tt.taken {
				t.Errorf("%d buffers are kept after the end, want %d", n, tt.taken)
			}
		})
	}
}
