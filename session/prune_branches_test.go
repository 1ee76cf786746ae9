package session_test

import (
	"slices"
	"testing"

	"github.com/sketch-ide/sketch-ide/session"
)

// With Branches, prune drops the names of all of a session's branches that another one has the commits of, and no others.
func TestPruneBranches(t *testing.T) {
	t.Parallel()
	store, dir := newStore(t), newRepo(t)
	w := open(t, store)
	info := w.start(dir)
	w.inside(info.Name, `for branch in "" "switch -qc try" "switch -qc left"; do
	[ -z "$branch" ] || git $branch
	git commit -q --allow-empty -m "on $branch"
done`)
	b := w.awaitBranch(info.Name, "three branches", func(b session.Branch) bool {
		return b.Exists && len(b.Others) == 2 && !slices.ContainsFunc(b.Others, func(o session.OtherBranch) bool { return o.Commit == "" })
	})
	runGit(t, "-C", dir, "merge", "-q", b.Name+"--try")
	w.close()

	var branches []string
	removed, err := open(t, store).Prune(t.Context(), session.PruneOptions{All: true, KeepImages: true, Branches: true})
	for _, r := range removed {
		if r.Kind == "branch" {
			branches = append(branches, r.Name)
		}
	}
	if err != nil || !slices.Equal(branches, []string{b.Name, b.Name + "--try"}) {
		t.Errorf("removed the branches %q, %v", branches, err)
	}
	if got := runGit(t, "-C", dir, "branch", "--list", "--format=%(refname:short)"); got != "main\n"+b.Name+"--left" {
		t.Errorf("there are left: %q", got)
	}
}
