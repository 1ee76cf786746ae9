package repo

import (
	"cmp"
	"context"
	"strings"
)

// readNotes finds what a checkout of this repository will lack, and refuses what cannot be served.
func (r *Repo) readNotes(ctx context.Context, dir string) error {
	if promised, err := git(ctx, dir, "config", "--get-regexp", `^(extensions\.partialclone|remote\..*\.promisor)$`); err == nil && promised != "" {
		return ErrPartialClone
	}
	shallow, err := git(ctx, dir, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return err
	}
	if r.shallow = shallow == "true"; r.shallow {
		r.note("The repository is a shallow clone: inside, history ends where it ends here.")
	}
	if _, err := git(ctx, dir, "cat-file", "-e", r.Head+":.gitmodules"); err == nil {
		r.note("The repository has submodules: inside, their folders are empty.")
	}
	attributes, err := git(ctx, dir, "cat-file", "blob", r.Head+":.gitattributes")
	if err == nil && strings.Contains(attributes, "filter=lfs") {
		r.note("The repository uses Git LFS: inside, its large files are pointers.")
	}
	if r.UserName == "" || r.UserEmail == "" {
		r.note("git does not know your name and e-mail address here: commits inside are made by " +
			cmp.Or(r.UserName, defaultName) + " <" + cmp.Or(r.UserEmail, defaultEmail) + ">.")
	}
	return ctx.Err()
}

func (r *Repo) note(sentence string) { r.Notes = append(r.Notes, sentence) }
