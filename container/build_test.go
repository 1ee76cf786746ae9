package container

import (
	"slices"
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

func TestBuildOutputTellsNoLabelsOfOurs(t *testing.T) {
	t.Parallel()
	var told []string
	o := &buildOutput{report: func(p Progress) { told = append(told, p.Message) }}
	o.text("Step 1/3 : FROM a\n ---> 1234\nStep 2/3 : LABEL " + LabelKind + "=image\nStep 3/3 : LABEL a.user=own\n")
	if want := []string{"Step 1/3 : FROM a", "Step 3/3 : LABEL a.user=own"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if o.percent != 66 {
		t.Errorf("at %d %%", o.percent)
	}
}
