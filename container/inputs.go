package container

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// recipe is the version of what this package itself adds to images: the layer with git, the probe, the labels. Bump it
// when one of them changes, so that images of older versions are not taken for current ones.
const recipe = "1"

const refPrefix = "sketch-ide/"

// inputsHash is a hash over all that the image is made from but the base images, whose ids are compared one by one
// (see reusable): a base that was removed since must not cause a rebuild that has to fetch it again.
func inputsHash(src source, context buildContext, spec ImageSpec) (string, error) {
	args := spec.BuildArgs
	h := inputHasher{sha256.New()}
	h.add("recipe", recipe)
	h.add("target", spec.Target, "user", spec.User)
	h.add("dockerfile", src.dockerfile, string(src.data))
	for _, name := range slices.Sorted(maps.Keys(args)) {
		h.add("arg", name, args[name])
	}
	for _, entry := range context.entries {
		h.add("entry", entry.path, entry.info.Mode().String(), entry.target)
		if !entry.info.Mode().IsRegular() {
			continue
		}
		h.length(entry.size())
		if err := context.copyFile(h, entry); err != nil {
			return "", unreadable(src.name, entry.path, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:20], nil
}

// inputHasher writes lengths before values, so that no two lists of values are one stream of bytes.
type inputHasher struct{ hash.Hash }

func (h inputHasher) add(values ...string) {
	for _, v := range values {
		h.length(int64(len(v)))
		h.Write([]byte(v))
	}
}

func (h inputHasher) length(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

// imageRef is the tag for a repository's image.
func imageRef(dir, hash string) string { return refPrefix + slug(filepath.Base(dir)) + ":" + hash }

// slug makes a name that the engine takes as a path element of an image's name.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		alnum := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		if alnum {
			b.WriteRune(r)
		} else if s := b.String(); s != "" && !strings.HasSuffix(s, "-") {
			b.WriteByte('-')
		}
		if b.Len() == 40 {
			break
		}
	}
	if s := strings.Trim(b.String(), "-"); s != "" {
		return s
	}
	return "repository"
}
