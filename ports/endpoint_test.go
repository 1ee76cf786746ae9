package ports

import "testing"

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"127.0.0.1:3000":          "127.0.0.1:3000",
		"[::]:3000":               "[::]:3000",
		":::3000":                 "[::]:3000",
		"*:3000":                  "[::]:3000",
		"[::ffff:127.0.0.1]:3000": "127.0.0.1:3000",
		"127.0.0.53%lo:53":        "127.0.0.53:53",
		"[fe80::1]%eth0:80":       "[fe80::1]:80",
		"[fe80::1%eth0]:80":       "[fe80::1]:80",
		"":                        "", "80": "", ":80": "", "localhost:80": "", "127.0.0.1:0": "", "127.0.0.1:65536": "", "1.2.3:80": "",
	} {
		got, ok := parseEndpoint(text)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("parseEndpoint(%q) = %v, %v, want %q", text, got, ok, want)
		}
	}
}
