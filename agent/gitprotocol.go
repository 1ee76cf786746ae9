package agent

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// gitProtocolWanted returns the value of GIT_PROTOCOL for a conversation. Git gives a helper no such variable, but takes an answer in
// whatever version the server speaks, so that the helper has to ask for what the user's git would ask for.
func gitProtocolWanted(ctx context.Context) string {
	if value := os.Getenv("GIT_PROTOCOL"); checkGitProtocol(value) == nil {
		return value
	}
	if out, err := exec.CommandContext(ctx, "git", "config", "--get", "protocol.version").Output(); err == nil {
		return protocolValue(strings.TrimSpace(string(out)))
	}
	out, err := exec.CommandContext(ctx, "git", "version").Output()
	if err != nil || !gitDefaultsToV2(string(out)) {
		return ""
	}
	return protocolValue("2")
}

// protocolValue returns the variable for the setting protocol.version; version 0 is what a server speaks unasked.
func protocolValue(version string) string {
	if version != "1" && version != "2" {
		return ""
	}
	return "version=" + version
}

// gitDefaultsToV2 reports whether the git that prints this version asks for protocol version 2 by itself, as it does since 2.26.
// An older one might not understand an answer in it.
func gitDefaultsToV2(version string) bool {
	fields := strings.Fields(version) // git version 2.39.5
	if len(fields) < 3 {
		return false
	}
	major, rest, _ := strings.Cut(fields[2], ".")
	minor, _, _ := strings.Cut(rest, ".")
	x, err := strconv.Atoi(major)
	if err != nil {
		return false
	}
	y, err := strconv.Atoi(minor)
	return err == nil && (x > 2 || x == 2 && y >= 26)
}
