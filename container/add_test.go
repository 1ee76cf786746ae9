package container

import (
	"errors"
	"strings"
	"testing"
)

func TestAddsOfLocalURLs(t *testing.T) {
	t.Parallel()
	refused := []string{
		"ADD http://127.0.0.1:8080/x /x",
		"add --chown=1:1 HTTPS://LocalHost/x /x",
		"ADD file http://[::1]/x /x/",
		"ADD http://[::ffff:127.0.0.1]/x /x",
		"ADD http://[::127.0.0.1]/x /x",
		"ADD http://[fe80::1%25eth0]/x /x",
		"ADD http://[fd00::1]/ /x",
		"ADD http://[64:ff9b::7f00:1]/ /x",
		"ADD http://0.0.0.0/ /x",
		"ADD http://10.1.2.3/ /x",
		"ADD http://172.17.0.1/ /x",
		"ADD http://192.168.1.1/ /x",
		"ADD http://100.100.100.200/ /x",
		"ADD http://169.254.169.254/latest/meta-data /x",
		"ADD http://metadata.google.internal/ /x",
		"ADD http://localhost./ /x",
		"ADD http://app.localhost/ /x",
		"ADD http://host.docker.internal:2375/ /x",
		"ADD http://user@127.0.0.1/ /x",
		"ADD http://example.com@127.0.0.1/ /x",
		"ADD http://127.1/ /x",
		"ADD http://2130706433/ /x",
		"ADD http://0x7f.0.0.1/ /x",
		"ADD http://0x7f000001/ /x",
		"ADD http://0177.0.0.1/ /x",
		"ADD http://１２７.0.0.1/ /x",
		"ADD http:///x /x",
		"ADD http://%31/ /x",
		"ADD http://$HOST/x /x",
		"ADD http://${HOST:-localhost}/x /x",
		"ADD https://example.com$REST /x",
		"ADD $URL /x",
		"ADD ht${REST} /x",
		`ADD "http://127.0.0.1/" /x`,
		`ADD h"tt"p:/\/127.0.0.1/ /x`,
		`ADD ["http://127.0.0.1/", "/x"]`,
		`ADD [ "http:\u002f\u002f127.0.0.1/", "/x" ]`,
		`ADD --chown=1 ["http:\u002f\u002f127.0.0.1/", "/x"]`,
		"ONBUILD ADD http://127.0.0.1/ /x",
		"ADD\thttp://127.0.0.1/\t/x",
		"ADD http://127.0.\\\n0.1/ /x",
		"AD\\\n  # comment\n\nD http://127.0.0.1/ /x",
		"ADD \\  \n http://127.0.0.1/ /x",
		"RUN cat <<EOF\nADD http://127.0.0.1/ /x\nEOF",
		"RUN echo \\\\\nADD http://127.0.0.1/ /x",
		"RUN echo `\nADD http://127.0.0.1/ /x",
		"RUN dir c:\\\nADD http://127.0.0.1/ /x",
	}
	for _, line := range refused {
		for _, head := range []string{"FROM a\n", "# syntax=x\n# escape=`\nFROM a\n", "\ufeffFROM a\r\n"} {
			err := checkAdds("Dockerfile.sketch", []byte(head+line+"\n"))
			failure, ok := errors.AsType[*BuildError](err)
			if !ok || failure.Dockerfile == "" || failure.Step == "" || failure.Reason == "" || failure.Hint == "" {
				t.Errorf("%q gives %v", line, err)
			}
		}
	}
	err := checkAdds("", []byte("ADD http://127.0.0.1:80/ /x"))
	if failed, ok := errors.AsType[*BuildError](err); !ok || !strings.Contains(failed.Hint, "curl") || !strings.Contains(err.Error(), "127.0.0.1:80") {
		t.Errorf("error says %v", err)
	}
	allowed := []string{
		"ADD https://example.com/x /x",
		"ADD https://example.com/v$VERSION/x /x",
		"ADD https://example.com:8443/${A} ${B}/x",
		"ADD http://1.1.1.1/ /x",
		"ADD http://[2606:4700::1111]/ /x",
		"ADD https://localhost.example.com/x /x",
		"ADD https://mymetadata.org/x /x",
		"ADD local.tar $HOME/x",
		"ADD --chown=$USER ./$FILE app-${VERSION}.tar /x",
		"ADD localhost /x",
		`ADD ["a b", "/x"]`,
		"COPY $URL /x",
		"RUN curl http://127.0.0.1/",
		"ADD",
		"ADD http://127.0.0.1/",
		"# ADD http://127.0.0.1/ /x",
		"ENV A=1",
	}
	for _, line := range allowed {
		if err := checkAdds("Dockerfile.sketch", []byte("FROM a\n"+line+"\n")); err != nil {
			t.Errorf("%q is refused: %v", line, err)
		}
	}
}

func TestLocalAddIsNotBuilt(t *testing.T) {
	t.Parallel()
	e := fakeEngine(t, fail(500, "must not be asked"))
	for _, text := range []string{"FROM a\nADD http://localhost:1/x /x\n", "FROM a AS b\nONBUILD ADD http://10.0.0.1/ /\nFROM b\n"} {
		_, err := e.EnsureImage(t.Context(), ImageSpec{Dir: repository(t, map[string]string{"Dockerfile.sketch": text})}, nil)
		if failure, ok := errors.AsType[*BuildError](err); !ok || !strings.Contains(failure.Step, "ADD http") {
			t.Errorf("error is %v", err)
		}
	}
}

// An image's ONBUILD instructions are steps of those built upon it.
func TestLocalAddOfABase(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	base := "sketch-ide-test/onbuild:" + e.version
	_, err := e.build(t.Context(), buildSpec{
		dockerfile: "Dockerfile", tag: base, labels: map[string]string{LabelVersion: e.version},
		write: singleFile([]byte("FROM " + baseImage() + "\nONBUILD ADD http://127.0.0.1:1/x /x\n")),
	}, newReporter(nil))
	must(t, err)
	_, err = e.EnsureImage(t.Context(), ImageSpec{Dir: repository(t, nil), BaseImage: base}, nil)
	if failure, ok := errors.AsType[*BuildError](err); !ok || !strings.Contains(failure.Reason, "is refused") {
		t.Errorf("error is %v", err)
	}
}

func FuzzCheckAdds(f *testing.F) {
	f.Add("http", "127.0.0.1", "\\\n")
	f.Add("https", "localhost", "`")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if err := checkAdds("", []byte(a+b+c)); err != nil && printable(err.Error()) == "" {
			t.Errorf("error says %q", err)
		}
		// Nothing that stands before an instruction on lines of its own hides it from every reading.
		if strings.ContainsAny(a, "\x00<") {
			return
		}
		if err := checkAdds("", []byte(a+"\n\n\nADD http://127.0.0.1/ /x\n")); err == nil && !strings.ContainsAny(a, "\\`") {
			t.Errorf("%q hides an ADD", a)
		}
	})
}
