package repo

import "strings"

// quote makes one word of s for a POSIX shell, whatever bytes it has (NUL cannot be in an argument).
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
