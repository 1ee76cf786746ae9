package session

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := OpenStore(filepath.Join(t.TempDir(), "state dir"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testRecord(t *testing.T, s *Store, name string) record {
	t.Helper()
	server, err := newKeyPair("server")
	if err != nil {
		t.Fatal(err)
	}
	client, err := newKeyPair("client")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.reserve(name); err != nil {
		t.Fatal(err)
	}
	return record{Name: name, Folder: "/src/app", Container: "c0ffee", User: "root", Workspace: "/workspaces/app", Created: time.Unix(1e9, 0).UTC(), HostKey: server.Public, Client: client}
}

func TestStoreKeepsARecord(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	want := testRecord(t, s, "sketch-brave-otter")
	if err := s.save(want); err != nil {
		t.Fatal(err)
	}
	got, err := s.load(want.Name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := got.Client.signer(); err != nil {
		t.Error(err)
	}
	names, err := s.Names()
	if err != nil || len(names) != 1 || names[0] != want.Name {
		t.Errorf("Names() = %v, %v", names, err)
	}
}

func TestStoreFilesAreForTheirOwnerOnly(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	rec := testRecord(t, s, "sketch-brave-otter")
	if err := errors.Join(s.save(rec), s.writeSSH(t.Context(), rec, "/bin/sketch-ide", false), s.saveForwards(rec.Name, Shared{}, tunnel.Memory{})); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestStoreSaysWhenKeysAreLost(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	rec := testRecord(t, s, "sketch-brave-otter")
	for _, tt := range []struct {
		name  string
		spoil func() error
	}{
		{"no record", func() error { return nil }},
		{"half a record", func() error { return os.WriteFile(s.path(rec.Name, "record.json"), []byte(`{"name":"sk`), 0o600) }},
	} {
		if err := tt.spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.load(rec.Name); !isA[*KeysLostError](err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestStoreStaysInsideItsFolder(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	victim := filepath.Join(filepath.Dir(s.dir), "victim")
	if err := os.Mkdir(victim, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../../victim", "..", "", "sketch-../../../victim"} {
		if err := s.Remove(t.Context(), name); err == nil {
			t.Errorf("Remove(%q) succeeded", name)
		}
		if _, err := s.load(name); err == nil {
			t.Errorf("load(%q) succeeded", name)
		}
	}
	if _, err := os.Stat(victim); err != nil {
		t.Error(err)
	}
}

func TestOpenStoreSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(filepath.Join(file, "state")); !isA[*StateDirError](err) {
		t.Errorf("got %v", err)
	}
}

func TestOpenStoreKeepsOthersOut(t *testing.T) {
	t.Parallel()
	for mode, refused := range map[os.FileMode]bool{0o700: false, 0o755: false, 0o750: false, 0o770: true, 0o777: true, 0o702: true} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		_, err := OpenStore(dir)
		if isA[*StateDirError](err) != refused {
			t.Errorf("mode %#o: %v", mode, err)
		}
		if info, err := os.Stat(dir); !refused && (err != nil || info.Mode().Perm() != 0o700) {
			t.Errorf("mode %#o became %v, %v", mode, info.Mode(), err)
		}
	}
}

func TestForwardsSurviveTheirOwner(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	rec := testRecord(t, s, "sketch-brave-otter")
	want := []tunnel.Forward{
		{Port: 3000, HostPort: 3001, Status: tunnel.Forwarded, Reason: "3000 is in use", Process: "vite", PID: 7, Action: tunnel.Notify, Opened: 2},
		{Port: 40000, Status: tunnel.Listed},
	}
	memory := tunnel.Memory{HostPorts: map[uint16]uint16{3000: 3001}, ByHand: map[uint16]tunnel.ByHand{80: {HostPort: 8080}}, Opened: map[uint16]uint64{3000: 2}}
	wrote := Shared{Forwards: want, State: Reconnecting, Err: errors.New("container does not answer")}
	if err := s.saveForwards(rec.Name, wrote, memory); err != nil {
		t.Fatal(err)
	}
	got, remembered, err := s.loadForwards(rec.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got.State != wrote.State || got.Err == nil || got.Err.Error() != wrote.Err.Error() {
		t.Errorf("state %s, %v", got.State, got.Err)
	}
	if diff := cmp.Diff(want, got.Forwards, cmpopts.IgnoreUnexported(tunnel.Forward{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(memory, remembered); diff != "" {
		t.Error(diff)
	}
}

func TestLockIsHeldByOne(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	rec := testRecord(t, s, "sketch-brave-otter")
	if s.owned(rec.Name) {
		t.Error("owned by nobody, yet owned")
	}
	first, err := tryLock(s.ownerLock(rec.Name))
	if err != nil || first == nil {
		t.Fatal(first, err)
	}
	if second, err := tryLock(s.ownerLock(rec.Name)); err != nil || second != nil {
		t.Errorf("second lock: %v, %v", second, err)
	}
	if !s.owned(rec.Name) {
		t.Error("owned, yet not owned")
	}
	taken := make(chan error, 1)
	go func() { // ends when the lock is free, or with the test's context
		l, err := waitLock(t.Context(), s.ownerLock(rec.Name))
		if err == nil {
			err = l.Unlock()
		}
		taken <- err
	}()
	if err := first.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Error(err)
	}
}

func TestSSHConfigQuotesPaths(t *testing.T) {
	t.Parallel()
	s := &Store{dir: "/home/o'brien/100% state"}
	rec := record{Name: "sketch-brave-otter", User: "vscode"}
	got := s.sshHost(rec, "/opt/my tools/sketch-ide", false).String()
	for _, want := range []string{
		"Host sketch-brave-otter\n",
		`IdentityFile "/home/o'brien/100%% state/sessions/sketch-brave-otter/client_key"`,
		`ProxyCommand '/opt/my tools/sketch-ide' 'proxy' '--state-dir' '/home/o'\''brien/100%% state' 'sketch-brave-otter'`,
		"StrictHostKeyChecking yes",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
}

func TestQuoteCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		argv []string
		want string
	}{
		{[]string{"echo", "a b"}, `'echo' 'a b'`},
		{[]string{"echo", "it's", "$HOME", "`id`", "a\nb", ""}, `'echo' 'it'\''s' '$HOME' '` + "`id`" + `' 'a` + "\n" + `b' ''`},
	} {
		if got := quoteCommand(tt.argv); got != tt.want {
			t.Errorf("quoteCommand(%q) = %s, want %s", tt.argv, got, tt.want)
		}
	}
}
