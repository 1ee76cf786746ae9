package agent

// ProfilePath and Profile are a file that gives login shells the image's PATH back. The /etc/profile of Debian and its kin sets PATH
// anew, so that what the image installs outside the usual folders (/usr/local/go/bin, say) would be missing in "ssh sketch-…" and in
// every "bash -l". Sessions carry the PATH of the image in SKETCH_PATH.
const (
	ProfilePath = "/etc/profile.d/00-sketch-ide.sh" // 0644, root
	Profile     = `[ -z "$SKETCH_PATH" ] || PATH=$SKETCH_PATH
`
)
