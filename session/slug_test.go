package session

import (
	"strings"
	"testing"
)

func TestSlug(t *testing.T) {
	t.Parallel()
	for prompt, want := range map[string]string{
		"Please fix the failing login test!":            "fix-failing-login-test",
		"\n\n  # Add a dark mode\nto the settings page": "add-dark-mode",
		"don't crash":                     "dont-crash",
		"@src/main.go: rename Foo to Bar": "src-main-go-rename-foo",
		"…":                               "",
		"":                                "",
		"修复登录":                            "",
		"../../refs/heads/main; rm -rf /": "refs-heads-main-rm-rf",
		strings.Repeat("x", 200):          "",
		"a the of":                        "",
		"Refactor internationalization infrastructure configuration loader": "refactor-internationalization",
	} {
		if got := promptSlug(prompt); got != want {
			t.Errorf("%.40q: %q, want %q", prompt, got, want)
		}
	}
}
