package container

import (
	"testing"
)

func TestParseStep(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, step string
		percent  int
	}{
		{"Step 1/4 : FROM a", "1/4: FROM a", 0},
		{"Step 3/4 : RUN x : y", "3/4: RUN x : y", 50},
		{"Step 5/4 : RUN x", "", 0},
		{"Step 0/0 : RUN x", "", 0},
		{"Step by step", "", 0},
		{"Step a/b : c", "", 0},
	}
	for _, tt := range tests {
		step, percent, ok := parseStep(tt.in)
		if step != tt.step || percent != tt.percent || ok != (tt.step != "") {
			t.Errorf("parseStep(%q) = %q, %d, %v", tt.in, step, percent, ok)
		}
	}
}
