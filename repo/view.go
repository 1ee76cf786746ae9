package repo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// baseRef names the session's commit to the container, also after the branch that it was on has been amended or deleted.
const baseRef = "refs/sketch/base"

// view is a short-lived bare repository without objects. It holds the refs that the container may see, and git reads the
// objects from the user's repository. This, rather than uploadpack.hideRefs on the user's repository, because it can offer a
// commit that no ref names without writing a ref, and because no configuration of the user's has a say in it.
type view struct{ dir string }

func (r *Repo) newView(ctx context.Context) (_ *view, err error) {
	refs, err := git(ctx, r.Root, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
	if err != nil {
		return nil, err
	}
	now, err := git(ctx, r.Root, "rev-parse", "--quiet", "--verify", "HEAD^{commit}")
	if declined(err) {
		now = r.Head // an orphan branch was begun since
	} else if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(r.Scratch, "sketch-ide-refs-*")
	if err != nil {
		return nil, err
	}
	v := &view{dir: dir}
	defer func() {
		if err != nil {
			v.remove()
		}
	}()
	if refs != "" {
		refs += "\n"
	}
	files := map[string]string{
		"HEAD":        now + "\n",
		"config":      r.viewConfig(),
		"packed-refs": refs + r.Head + " " + baseRef + "\n",
	}
	if r.shallow {
		shallow, err := os.ReadFile(filepath.Join(r.CommonDir, "shallow"))
		if err != nil {
			return nil, err
		}
		files["shallow"] = string(shallow)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"objects", "refs"} { // what makes a folder a git directory
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (r *Repo) viewConfig() string {
	var b strings.Builder
	format, extensions := 0, ""
	if len(r.Head) == 64 {
		format, extensions = 1, "[extensions]\n\tobjectFormat = sha256\n"
	}
	fmt.Fprintf(&b, "[core]\n\trepositoryFormatVersion = %d\n\tbare = true\n%s", format, extensions)
	return b.String()
}

func (v *view) remove() { _ = os.RemoveAll(v.dir) } // a folder of ours; what stays after a failure is some refs
