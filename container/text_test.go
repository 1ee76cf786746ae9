package container

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseDockerfile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		text    string
		args    map[string]string
		bases   []string
		context bool
	}{
		{name: "plain", text: "FROM debian:12\nRUN true\n", bases: []string{"debian:12"}},
		{name: "copies", text: "from a\ncopy x /x", bases: []string{"a"}, context: true},
		{name: "adds", text: "FROM a\nADD x /x", bases: []string{"a"}, context: true},
		{name: "comments", text: "# FROM x\n\n  # y\nFROM a # b\n", bases: []string{"a"}},
		{name: "stages", text: "FROM --platform=linux/amd64 a AS One\nFROM scratch\nCOPY --from=one /x /\nCOPY --from=0 /x /\nCOPY --from=b:1 /x /\nFROM one", bases: []string{"a", "b:1"}},
		{name: "same twice", text: "FROM a\nFROM a", bases: []string{"a"}},
		{name: "arguments", text: "ARG V=12\nARG R=\"debian\"\nFROM $R:${V}-slim\n", args: map[string]string{"V": "13"}, bases: []string{"debian:13-slim"}},
		{name: "argument of an argument", text: "ARG A=x\nARG B=$A-y\nFROM ${B}", bases: []string{"x-y"}},
		{name: "default in place", text: "ARG A\nFROM ${A:-b:1}", bases: []string{"b:1"}},
		{name: "unknown argument", text: "ARG A\nFROM $A\nFROM b", bases: []string{"b"}},
		{name: "argument after FROM", text: "FROM a\nARG B=x\nFROM $B", bases: []string{"a"}},
		{name: "continued", text: "FROM \\\n# comment\n\n  a\nCOPY \\\n --chown=1 x /", bases: []string{"a"}, context: true},
		{name: "escape", text: "# escape=`\nFROM `\na\nRUN c:\\\nCOPY x y", bases: []string{"a"}, context: true},
		{name: "here-document", text: "FROM a\nRUN python3 <<'EOF'\nfrom os import path\nEOF\nFROM b", bases: []string{"a", "b"}},
		{name: "mount", text: "FROM a\nRUN --mount=type=bind,target=/x true", bases: []string{"a"}, context: true},
		{name: "broken", text: "FROM\nARG\nCOPY\n\\\n\\", context: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := parseDockerfile([]byte(tt.text), tt.args)
			if diff := cmp.Diff(dockerfile{tt.bases, tt.context}, got, cmp.AllowUnexported(dockerfile{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"plain", "hello\n", "hello"},
		{"colours", "\x1b[1;31mred\x1b[0m", "red"},
		{"cut sequence", "a\x1b[3", "a"},
		{"progress bar", " 10%\r 20%\r100%\r\n", "100%"},
		{"controls", "a\x00\x07\x1bb\tc", "ab c"},
		{"bad UTF-8", "a\xffb", "ab"},
		{"long", strings.Repeat("ü", 200), strings.Repeat("ü", 98) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := printable(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

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

func TestSlug(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Sketch-IDE": "sketch-ide", "a__b..c": "a-b-c", "-x-": "x", "日本": "repository", "": "repository", "/": "repository",
		strings.Repeat("a", 99): strings.Repeat("a", 40), strings.Repeat("a", 39) + "-b": strings.Repeat("a", 39),
	} {
		if got := slug(in); got != want {
			t.Errorf("slug(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestInstallersAreProbed(t *testing.T) {
	t.Parallel()
	for manager := range installers {
		if !strings.Contains(probeScript, " "+manager+" ") && !strings.Contains(probeScript, " "+manager+";") {
			t.Errorf("the probe does not look for %s", manager)
		}
	}
}

func TestParseProbe(t *testing.T) {
	t.Parallel()
	got, err := parseProbe("noise\nuid=1000\ngid=0\r\nhome=\nbash=yes\nmanager=apk\nother=1\n")
	want := probe{UID: 1000, Home: "/", Bash: true, Manager: "apk"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "uid=1", "uid=-1\ngid=1", "uid=x\ngid=1"} {
		if _, err := parseProbe(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func frame(stream byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{stream, 0, 0, 0}, uint32(len(text))), text...)
}

func TestDemultiplexer(t *testing.T) {
	t.Parallel()
	whole := bytes.Join([][]byte{frame(1, "one"), frame(2, ""), frame(2, "two"), frame(1, "three")}, nil)
	tests := []struct {
		name string
		in   io.Reader
		want string
		err  error
	}{
		{"whole", bytes.NewReader(whole), "onetwothree", nil},
		{"bytewise", iotest.OneByteReader(bytes.NewReader(whole)), "onetwothree", nil},
		{"with its end", iotest.DataErrReader(bytes.NewReader(whole)), "onetwothree", nil},
		{"empty", strings.NewReader(""), "", nil},
		{"cut in a header", bytes.NewReader(whole[:13]), "one", io.ErrUnexpectedEOF},
		{"cut in a payload", bytes.NewReader(whole[:10]), "on", io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := io.ReadAll(&demultiplexer{r: tt.in})
			if string(got) != tt.want {
				t.Errorf("got %q", got)
			}
			wantError(t, err, tt.err)
		})
	}
	if _, err := io.ReadAll(&demultiplexer{r: strings.NewReader("HTTP/1.1 500")}); err == nil {
		t.Error("garbage was accepted")
	}
}

func TestDemultiplexerSurvivesTimeouts(t *testing.T) {
	t.Parallel()
	d := demultiplexer{r: iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(frame(1, "text"))))}
	buf := make([]byte, 8)
	if _, err := d.Read(buf); !errors.Is(err, iotest.ErrTimeout) {
		t.Fatalf("error is %v", err)
	}
	if got, err := io.ReadAll(&d); string(got) != "text" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

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

func TestLimits(t *testing.T) {
	t.Parallel()
	e := &Engine{memory: 4 << 30}
	h := e.hostConfig(Spec{})
	if h.Memory != 3<<30 || *h.PidsLimit != 4096 || h.Sysctls != nil {
		t.Errorf("defaults are %+v", h.Resources)
	}
	h = e.hostConfig(Spec{Limits: Limits{Memory: -1, PIDs: -1, CPUs: -1, LogSize: -1}})
	if h.Memory != 0 || *h.PidsLimit != -1 || h.NanoCPUs != 0 || h.LogConfig.Config != nil {
		t.Errorf("no limits are %+v", h.Resources)
	}
}

func FuzzParseDockerfile(f *testing.F) {
	f.Add([]byte("ARG A=1\nFROM a:${A} AS b\nCOPY --from=b x y\nRUN <<E\nE\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, base := range parseDockerfile(data, nil).bases {
			if base == "" || strings.ContainsAny(base, " \t\n$") {
				t.Errorf("base is %q", base)
			}
		}
	})
}

func FuzzParseContextMeta(f *testing.F) {
	f.Add([]byte(`{"Name":"x","Endpoints":{"docker":{"Host":"unix:///x","SkipTLSVerify":false}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		meta, err := parseContextMeta(data)
		if err != nil {
			return
		}
		if ep, err := newEndpoint(meta.Host, "test", nil); err == nil && ep.address == "" {
			t.Errorf("endpoint is %+v", ep)
		}
	})
}

func FuzzParseIgnore(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbf# c\n*.log\n!keep\n**/x\n/[a-z]\n"), "a/b.log")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		m, err := parseIgnore(data, []string{".git"})
		if err != nil || name == "" || name[0] == '/' {
			return
		}
		m.MatchesOrParentMatches(name)
	})
}

func FuzzPrintable(f *testing.F) {
	f.Add("\x1b[31mred\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		if got := printable(s); !utf8.ValidString(got) || len(got) > maxLine || strings.ContainsAny(got, "\r\n\x1b") {
			t.Errorf("got %q", got)
		}
	})
}
