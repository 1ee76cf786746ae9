package container

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestHostileDockerfiles: a Dockerfile is read in a time and a memory that grow with its size alone.
func TestHostileDockerfiles(t *testing.T) {
	t.Parallel()
	var doubling strings.Builder
	doubling.WriteString("ARG A0=aa\n")
	for i := range 64 {
		fmt.Fprintf(&doubling, "ARG A%d=$A%d$A%d\n", i+1, i, i)
	}
	var many strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&many, "FROM image%d\n", i)
	}
	tests := map[string]string{
		"arguments that double": doubling.String() + "FROM $A64\n",
		"short continued lines": strings.Repeat("a\\\n", maxDockerfile/3),
		"ONBUILD in a row":      strings.Repeat("ONBUILD ", maxDockerfile/8),
		"long variables":        "ARG A=" + strings.Repeat("a", 1000) + "\nFROM " + strings.Repeat("$A", maxDockerfile/2),
		"images":                many.String(),
		"here-documents":        strings.Repeat("RUN <<A\n", maxDockerfile/8),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			for _, base := range parseDockerfile([]byte(text), nil).bases {
				if len(base) > maxArg*maxArg {
					t.Errorf("base has %d bytes", len(base))
				}
			}
			if err := checkAdds("", []byte(text)); err != nil {
				t.Error(err)
			}
			if took := time.Since(begun); took > 5*time.Minute { // not the hours that growth without bounds takes
				t.Errorf("it took %v", took)
			}
		})
	}
}
