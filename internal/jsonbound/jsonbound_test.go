package jsonbound

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		``: 1, `1`: 1, `[]`: 2, `[1,2,3]`: 4, `{"a":{},"b":"x,y{["}`: 4, `"\",,,\\"`: 1, `"\\",{`: 3, `{"a`: 2, `"\`: 1,
	} {
		if got := Values([]byte(text)); got != want {
			t.Errorf("%s has %d values, want %d", text, got, want)
		}
	}
}
