package repo

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// PackReceiver is a [Runner] that takes whole packs, which is several times as quick as a fetch: nothing is packed or indexed again.
type PackReceiver interface {
	// PutPack writes content, of size bytes, into the repository's folder of packs inside, under this name (pack-….pack, or .idx).
	PutPack(ctx context.Context, workspace, name string, size int64, content io.Reader) error
}

const (
	defaultCopyFrom = 16 << 20 // bytes of packs from which on copying pays
	maxCopyObjects  = 8 << 20  // more would take too much memory to look through
)

// errNoCopy says that a fetch does as well.
var errNoCopy = errors.New("nothing to copy")

// copyPlan is what is copied: packs of which the container may see all, and one with what is left.
type copyPlan struct {
	refs  []string // "<id> <full name>", as they are inside
	packs []string // paths without the ending
}

// copyObjects puts all objects on offer into the repository inside, and the refs to them. What a pack of the user's has beside those (commits that were amended
// away, other remotes' branches) must not come along, so that such a pack is not copied but made anew of the rest.
func (r *Repo) copyObjects(ctx context.Context, run Runner, to PackReceiver, workspace string, report func(string)) error {
	return r.withPlan(ctx, func(plan *copyPlan) error {
		if err := plan.send(ctx, to, workspace, report); err != nil {
			return err
		}
		return r.setRefs(ctx, run, workspace, plan.refs)
	})
}

// withPlan calls use with what is to be copied, or fails with errNoCopy where a fetch does as well.
func (r *Repo) withPlan(ctx context.Context, use func(*copyPlan) error) error {
	var sizes int64
	packs, err := r.packs(&sizes)
	if err != nil || sizes < r.copyFrom {
		return errors.Join(err, errNoCopy)
	}
	q, err := r.newQuarantine() // git writes a new pack's beginnings among the objects, whatever it is to be called
	if err != nil {
		return err
	}
	defer q.remove()
	plan, err := r.planCopy(ctx, packs, q)
	if err != nil {
		return err
	}
	return use(plan)
}

// pack is one of the user's packs, and which of its objects are on offer.
type pack struct {
	path string // without the ending
	packIndex
	seen []uint64 // a bit for each object
	left int      // objects that were not seen
}

func (p *pack) mark(i int) {
	if word, bit := i/64, uint64(1)<<(i%64); p.seen[word]&bit == 0 {
		p.seen[word] |= bit
		p.left--
	}
}

// packs lists the repository's own packs.
func (r *Repo) packs(sizes *int64) ([]*pack, error) {
	found, err := filepath.Glob(filepath.Join(globbed(r.CommonDir), "objects", "pack", "pack-*.idx"))
	if err != nil {
		return nil, err
	}
	var packs []*pack
	objects := 0
	for _, path := range found {
		path = strings.TrimSuffix(path, ".idx")
		info, err := os.Stat(path + ".pack")
		if err != nil {
			continue // it is being removed
		}
		index, err := readPackIndex(path+".idx", len(r.Head)/2)
		if err != nil {
			return nil, err
		}
		if objects += index.len(); objects > maxCopyObjects {
			return nil, errNoCopy
		}
		*sizes += info.Size()
		packs = append(packs, &pack{path: path, packIndex: index, seen: make([]uint64, index.len()/64+1), left: index.len()})
	}
	return packs, nil
}

// planCopy finds what of the packs may be copied, and makes a pack of the rest in the quarantine.
func (r *Repo) planCopy(ctx context.Context, packs []*pack, q *quarantine) (*copyPlan, error) {
	refs, tips, err := r.offered(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := os.Create(filepath.Join(q.dir, "ids"))
	if err != nil {
		return nil, err
	}
	defer ids.Close()
	all := bufio.NewWriterSize(ids, 1<<16)
	call := gitCall{dir: r.Root, args: []string{"rev-list", "--objects", "--use-bitmap-index", "--stdin"}, in: strings.NewReader(strings.Join(tips, "\n") + "\n")}
	id := make([]byte, len(r.Head)/2)
	err = eachObject(ctx, call, func(name string) error {
		if n, err := hex.Decode(id, []byte(name)); err != nil || n != len(id) {
			return fmt.Errorf("%w: object %.70q", errDiff, name)
		}
		for _, p := range packs {
			if i, ok := p.find(id); ok {
				p.mark(i)
			}
		}
		_, err := all.WriteString(name + "\n")
		return err
	})
	if err = errors.Join(err, all.Flush()); err != nil {
		return nil, err
	}
	plan := &copyPlan{refs: refs}
	var whole []*pack
	for _, p := range packs {
		if p.left == 0 {
			whole = append(whole, p)
			plan.packs = append(plan.packs, p.path)
		}
	}
	rest, err := q.packRest(ctx, ids, whole)
	if rest != "" {
		plan.packs = append(plan.packs, rest)
	}
	return plan, err
}

// packRest makes a pack of the objects named in ids that the whole packs lack. Deltas are taken as they are and no new ones sought: that takes minutes where copying takes
// seconds.
func (q *quarantine) packRest(ctx context.Context, ids *os.File, whole []*pack) (string, error) {
	if _, err := ids.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	reader, writer := io.Pipe()
	any := make(chan bool, 1)
	// Ends with the file, or when git reads no more; waited for below.
	go func() { any <- restOf(ids, writer, whole) }()
	call := q.call("pack-objects", "-q", "--window=0", "--delta-base-offset", filepath.Join(q.dir, "pack"))
	call.in = reader
	name, err := call.answer(ctx, 1<<10)
	reader.CloseWithError(errStopped)
	if some := <-any; err != nil || !some {
		return "", err
	}
	return filepath.Join(q.dir, "pack-"+name), nil
}

// restOf writes the names that no pack has, and reports whether there was any.
func restOf(ids io.Reader, to *io.PipeWriter, whole []*pack) (some bool) {
	lines := bufio.NewScanner(ids)
	b := bufio.NewWriterSize(to, 1<<16)
next:
	for lines.Scan() {
		for _, p := range whole {
			if p.has(lines.Text()) {
				continue next
			}
		}
		some = true
		if _, err := b.WriteString(lines.Text() + "\n"); err != nil {
			break
		}
	}
	to.CloseWithError(errors.Join(lines.Err(), b.Flush()))
	return some
}

// send copies the packs, each before its index, by which git finds it.
func (plan *copyPlan) send(ctx context.Context, to PackReceiver, workspace string, report func(string)) error {
	files, total, err := plan.open()
	defer files.close()
	if err != nil {
		return err
	}
	var sent int64
	for _, f := range files {
		progress := &counted{r: f, each: func(n int) {
			sent += int64(n)
			report(CopyProgress(sent, total))
		}}
		if err := to.PutPack(ctx, workspace, filepath.Base(f.Name()), f.size, progress); err != nil {
			return fmt.Errorf("copy %s: %w", filepath.Base(f.Name()), err)
		}
	}
	return nil
}

// packFiles are open: they stay readable whatever a gc does meanwhile.
type packFiles []packFile

type packFile struct {
	*os.File
	size int64
}

// open opens the files of all packs, each pack before its index. What it has opened is to be closed in any case.
func (plan *copyPlan) open() (files packFiles, total int64, err error) {
	for _, path := range plan.packs {
		for _, ending := range []string{".pack", ".idx"} {
			f, err := os.Open(path + ending)
			if err != nil {
				return files, 0, err
			}
			files = append(files, packFile{File: f})
			info, err := f.Stat()
			if err != nil {
				return files, 0, err
			}
			files[len(files)-1].size = info.Size()
			total += info.Size()
		}
	}
	return files, total, nil
}

func (files packFiles) close() {
	for _, f := range files {
		_ = f.Close() // was only read
	}
}

// CopyProgress says how far a copy of packs is, as [Repo.Checkout] does.
func CopyProgress(done, total int64) string {
	return fmt.Sprintf("Copying objects: %3d%% (%d/%d MiB)", 100*done/max(total, 1), done>>20, total>>20)
}

// counted tells each time that another part of what is read, some MiB, is through.
type counted struct {
	r    io.Reader
	each func(n int)
	n    int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.n += n; c.n >= 4<<20 || err != nil {
		c.each(c.n)
		c.n = 0
	}
	return n, err
}

// refsScript sets the refs to what has been copied.
const refsScript = `set -eu
unset GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_NAMESPACE
cd -- "$workspace"
if [ -n "$shallow" ]; then printf %s "$shallow" >"$(git rev-parse --git-dir)/shallow"; fi
git -c core.hooksPath=/dev/null -c core.fsync=none update-ref --stdin
`

func (r *Repo) setRefs(ctx context.Context, run Runner, workspace string, refs []string) error {
	shallow := ""
	if r.shallow {
		content, err := os.ReadFile(filepath.Join(r.CommonDir, "shallow"))
		if err != nil {
			return err
		}
		shallow = string(content)
	}
	var b strings.Builder
	for _, ref := range refs {
		id, name, _ := strings.Cut(ref, " ")
		fmt.Fprintf(&b, "update %s %s\n", name, id)
	}
	var last lastLines
	script := fmt.Sprintf("workspace=%s\nshallow=%s\n%s", quote(workspace), quote(shallow), refsScript)
	if err := run.Run(ctx, script, strings.NewReader(b.String()), func(line string) { last.add(oneLine(line)) }); err != nil {
		return fmt.Errorf("set refs inside: %w%s", err, last.said())
	}
	return nil
}

// offered are the refs that the container may see, named as they are inside, and the commits and tags that they lead to.
func (r *Repo) offered(ctx context.Context) (refs, tips []string, err error) {
	found, err := r.refs(ctx, "refs/heads", "refs/tags")
	if err != nil {
		return nil, nil, err
	}
	tips = append(tips, r.Head)
	refs = append(refs, r.Head+" "+baseRef)
	for name, id := range found {
		if branch, ok := strings.CutPrefix(name, "refs/heads/"); ok {
			name = "refs/remotes/" + RemoteName + "/" + branch
		}
		refs = append(refs, id+" "+name)
		tips = append(tips, id)
	}
	return refs, tips, nil
}
