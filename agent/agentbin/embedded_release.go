//go:build release

package agentbin

import "embed"

// scripts/release.sh builds these before it builds with the tag.
//
//go:embed embedded/sketch-ide-linux-amd64.gz embedded/sketch-ide-linux-arm64.gz
var embedded embed.FS
