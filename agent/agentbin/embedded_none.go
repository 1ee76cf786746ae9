//go:build !release

package agentbin

import "io/fs"

var embedded fs.FS
