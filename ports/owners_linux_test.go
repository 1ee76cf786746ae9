package ports

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A fakeProcess is a process in a tree of files like /proc.
type fakeProcess struct {
	parent  int
	comm    string
	cmdline string
	environ string
	fds     []string
}

func fakeProc(t *testing.T, self int, processes map[int]fakeProcess) procOwners {
	t.Helper()
	root := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for pid, p := range processes {
		dir := strconv.Itoa(pid)
		if err := os.MkdirAll(filepath.Join(root, dir, "task", dir), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(root, dir, "fd"), 0o700); err != nil {
			t.Fatal(err)
		}
		for i, link := range p.fds {
			if err := os.Symlink(link, filepath.Join(root, dir, "fd", strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
		}
		var children []string
		for child, c := range processes {
			if c.parent == pid {
				children = append(children, strconv.Itoa(child))
			}
		}
		put(dir+"/task/"+dir+"/children", strings.Join(children, " ")+" ")
		put(dir+"/stat", fmt.Sprintf("%d (odd) name) S %d 1 1", pid, p.parent))
		put(dir+"/comm", p.comm+"\n")
		put(dir+"/cmdline", p.cmdline)
		put(dir+"/environ", p.environ)
	}
	return procOwners{root: root, self: self}
}

func TestFindOwners(t *testing.T) {
	t.Parallel()
	p := fakeProc(t, 7, map[int]fakeProcess{
		1:  {comm: "init", fds: []string{"/dev/null"}},
		7:  {parent: 1, comm: "sketch-ide", fds: []string{"socket:[100]", "socket:[200]"}},
		20: {parent: 7, comm: "bash", fds: []string{"/dev/pts/0", "pipe:[1]"}},
		21: {parent: 20, comm: "gunicorn", cmdline: "gunicorn\x00app\x00", fds: []string{"anon_inode:[eventpoll]", "socket:[300]"}},
		22: {parent: 21, comm: "worker", fds: []string{"socket:[300]", "socket:[odd]", "socket:[4294967296]"}},
		23: {parent: 21, comm: "debugger", fds: []string{"socket:[700]"}},
		30: {parent: 7, comm: "chrome", environ: "A=1\x00SKETCH_IGNORE_PORTS=1\x00B=2\x00", fds: []string{"socket:[400]"}},
		31: {parent: 7, comm: "similar", environ: "XSKETCH_IGNORE_PORTS=1\x00SKETCH_IGNORE_PORTS=10\x00", fds: []string{"socket:[500]"}},
		40: {parent: 1, comm: "daemon", fds: []string{"socket:[600]"}},
		41: {parent: 7, comm: "heir", fds: []string{"socket:[200]"}},
	})
	later := time.Now().Add(time.Minute)
	found, complete := p.find([]uint32{300, 400, 500, 600, 200, 700, 999}, later)
	if !complete {
		t.Error("not complete")
	}
	want := map[uint32]process{
		300: {pid: 21, name: "gunicorn", command: "gunicorn app"},
		400: {pid: 30, name: "chrome", ignore: true},
		500: {pid: 31, name: "similar"},
		600: {pid: 40, name: "daemon"},
		200: {pid: 41, name: "heir"},
		700: {pid: 23, name: "debugger"}, // its parent has a socket, but not this one
	}
	if len(found) != len(want) {
		t.Errorf("found %v", found)
	}
	for inode, owner := range want {
		got := found[inode]
		if !p.holds(got, inode) || p.holds(got, inode+1) {
			t.Errorf("%d is not where it was seen: %q", inode, got.seenAt)
		}
		if got.seenAt = ""; got != owner {
			t.Errorf("owner of %d is %+v, want %+v", inode, got, owner)
		}
	}

	order := slices.Collect(p.candidates(later))
	if want := []int{41, 31, 30, 23, 22, 21, 20, 40, 1}; !slices.Equal(order, want) {
		t.Errorf("looks at %v, want descendants first: %v", order, want)
	}
	if found, complete := p.find([]uint32{300}, time.Now().Add(-time.Second)); complete || len(found) > 0 {
		t.Errorf("past the deadline: %v, complete %v", found, complete)
	}
	if got, fd := p.firstHolder(22, "22/fd/0", 300, time.Now().Add(-time.Second)); got != 22 || fd != "22/fd/0" {
		t.Errorf("past the deadline it climbs to %d, %s", got, fd)
	}
	if found, complete := p.find(nil, later); !complete || len(found) > 0 {
		t.Errorf("nothing to find: %v, %v", found, complete)
	}
}

func TestFindOwnersWithoutProc(t *testing.T) {
	t.Parallel()
	p := procOwners{root: "/nonexistent", self: 7}
	if found, _ := p.find([]uint32{1}, time.Now().Add(time.Minute)); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	if got := p.describe(7, ""); got != (process{pid: 7}) {
		t.Errorf("describes %+v", got)
	}
	if got := p.parent(7); got != 0 {
		t.Errorf("parent %d", got)
	}
}

func TestOwnersOfThisMachine(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	child := startHelper(t, "SKETCH_IGNORE_PORTS=1")
	addr, _ := child.listen("127.0.0.1:0")
	src, err := openNetlink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	rows, err := src.Listeners(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	inode := func(addr string) uint32 {
		i := slices.IndexFunc(rows, func(ln Listener) bool { return ln.Addr.String() == addr })
		if i < 0 {
			t.Fatalf("%s is not listed", addr)
		}
		return rows[i].Inode
	}
	owners := platformOwners()
	if !owners.ours()[inode(ln.Addr().String())] {
		t.Error("own socket is not known as such")
	}
	if owners.ours()[inode(addr)] {
		t.Error("a child's socket counts as ours")
	}
	if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeSocket == 0 && owners.ours()[uint32(info.Sys().(*syscall.Stat_t).Ino)] {
		t.Errorf("what is no socket counts as one of ours, %v", err)
	}
	found, _ := owners.find([]uint32{inode(addr)}, time.Now().Add(patience))
	if owner := found[inode(addr)]; owner.pid != child.pid() || !owner.ignore || !strings.HasPrefix(owner.name, "ports.test") {
		t.Errorf("owner %+v, want pid %d, ignored", owner, child.pid())
	}
}
