package sshconfig

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// account is somebody's home directory.
type account struct {
	*testing.T
	User
	dir string
}

func newAccount(t *testing.T) account {
	t.Helper()
	home := filepath.Join(t.TempDir(), "ada l")
	u := User{File: filepath.Join(home, ".ssh", "config"), Ours: filepath.Join(home, "my state", "ssh_config")}
	if err := os.MkdirAll(filepath.Dir(u.Ours), 0o700); err != nil {
		t.Fatal(err)
	}
	h := Host{
		Name: "sketch-brave-otter", User: "vs code", KnownHosts: home + "/100% known", Identity: home + "/key",
		Proxy: []string{"/opt/my tools/sketch-ide", "proxy", "o'brien"},
	}
	if err := os.WriteFile(u.Ours, []byte(h.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return account{t, u, home}
}

func (a account) write(path, text string, mode os.FileMode) {
	a.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		a.Fatal(err)
	}
}

func (a account) content(path string) string {
	a.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		a.Fatal(err)
	}
	return string(data)
}

func (a account) mode(path string) os.FileMode {
	a.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		a.Fatal(err)
	}
	return info.Mode()
}

// asked is what OpenSSH itself makes of the user's file for a host.
func (a account) asked(host string) string {
	a.Helper()
	out, err := exec.CommandContext(a.Context(), "ssh", "-G", "-F", a.File, host).CombinedOutput()
	if err != nil {
		a.Fatalf("ssh -G %s: %v\n%s", host, err, out)
	}
	return string(out)
}

const matches = "Host *.example.com\r\n\tUser\tada\r\n\r\nMatch host lab exec \"true\"\r\n  Port 2222 # there\r\nHost *\r\n  User everybody\r\n  ForwardAgent yes\r\n"

func TestInstallAndRemove(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.write(a.File, matches, 0o640)
	for n, want := range []bool{true, false} {
		status, err := a.Install()
		if err != nil || !status.Installed || status.Changed != want {
			t.Fatalf("install %d: %+v, %v", n, status, err)
		}
	}
	if got := a.content(a.File); got != statement(a.Ours)+"\r\n"+matches {
		t.Errorf("the file became %q", got)
	}
	if got := a.mode(a.File); got != 0o640 {
		t.Errorf("its mode became %v", got)
	}
	entry := a.asked("sketch-brave-otter")
	for _, want := range []string{
		"\nuser vs code\n", "\nhostkeyalias sketch-brave-otter\n", "\nstricthostkeychecking true\n", "\nforwardagent no\n", "\nidentityagent none\n",
		"\nproxycommand '/opt/my tools/sketch-ide' 'proxy' 'o'\\''brien'\n", "/ada l/100% known\n", "\nidentitiesonly yes\n", "\naddkeystoagent false\n",
	} {
		if !strings.Contains("\n"+entry, want) {
			t.Errorf("OpenSSH does not see %q in:\n%s", want, entry)
		}
	}
	if got := a.asked("lab"); !strings.Contains(got, "\nport 2222\n") || !strings.Contains(got, "\nuser everybody\n") {
		t.Errorf("the user's own entries suffered:\n%s", got)
	}
	for n, want := range []bool{true, false} {
		status, err := a.Remove()
		if err != nil || status.Installed || status.Changed != want {
			t.Fatalf("remove %d: %+v, %v", n, status, err)
		}
	}
	if got := a.content(a.File); got != matches {
		t.Errorf("what is left is %q", got)
	}
	if entries, err := os.ReadDir(filepath.Dir(a.File)); err != nil || len(entries) != 1 {
		t.Errorf("left in ~/.ssh: %v, %v", entries, err)
	}
}

func TestInstallMakesWhatIsMissing(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	if status, err := a.Status(); err != nil || status.Installed || status.Changed {
		t.Fatalf("status: %+v, %v", status, err)
	}
	if status, err := a.Remove(); err != nil || status.Changed {
		t.Fatalf("remove: %+v, %v", status, err)
	}
	if _, err := os.Stat(filepath.Dir(a.File)); err == nil {
		t.Error("looking made ~/.ssh")
	}
	if _, err := a.Install(); err != nil {
		t.Fatal(err)
	}
	if dir, file := a.mode(filepath.Dir(a.File)).Perm(), a.mode(a.File).Perm(); dir != 0o700 || file != 0o600 {
		t.Errorf("modes are %v and %v", dir, file)
	}
	if got := a.asked("sketch-brave-otter"); !strings.Contains(got, "\nuser vs code\n") {
		t.Errorf("OpenSSH sees:\n%s", got)
	}
	if _, err := a.Remove(); err != nil || a.content(a.File) != "" {
		t.Errorf("after removal: %q, %v", a.content(a.File), err)
	}
}

// Dotfiles are links into a repository, and stay links; one may lead to a file that is not there yet.
func TestLinksAreKept(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"Host a\n", ""} {
		a := newAccount(t)
		target := filepath.Join(a.dir, "dotfiles", "ssh config")
		a.write(target, before, 0o644)
		if before == "" {
			if err := os.Remove(target); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(os.Mkdir(filepath.Dir(a.File), 0o700), os.Symlink("../dotfiles/ssh config", a.File)); err != nil {
			t.Fatal(err)
		}
		if status, err := a.Install(); err != nil || !status.Installed {
			t.Fatalf("install: %+v, %v", status, err)
		}
		if a.mode(a.File)&os.ModeSymlink == 0 || a.content(target) != statement(a.Ours)+"\n"+before {
			t.Errorf("%v: the target is %q", a.mode(a.File), a.content(target))
		}
		if before != "" && a.mode(target) != 0o644 {
			t.Errorf("the target's mode became %v", a.mode(target))
		}
	}
}

// A line within a Host is of no use to other hosts: it is moved.
func TestInstallMovesALineThatDoesNotCount(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.write(a.File, "Host b\n  User c\n  "+statement(a.Ours)+"\n  Port 1\n", 0o600)
	if status, err := a.Status(); err != nil || status.Installed {
		t.Fatalf("status: %+v, %v", status, err)
	}
	if status, err := a.Install(); err != nil || !status.Installed {
		t.Fatalf("install: %+v, %v", status, err)
	}
	if got := a.content(a.File); got != statement(a.Ours)+"\nHost b\n  User c\n  Port 1\n" {
		t.Errorf("the file became %q", got)
	}
}

func TestOddFilesAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		make func(a *account)
		do   func(User) (Status, error)
		want string
	}{
		{"a folder", func(a *account) { a.write(filepath.Join(a.File, "x"), "", 0o600) }, User.Install, "not a regular file"},
		{"not text", func(a *account) { a.write(a.File, "Host a\x00\n", 0o600) }, User.Install, "not text"},
		{"too large", func(a *account) { a.write(a.File, strings.Repeat("#\n", maxConfig), 0o600) }, User.Install, "larger"},
		{"a link to itself", func(a *account) {
			a.write(a.File+".d/x", "", 0o600)
			if err := os.Symlink("config", a.File); err != nil {
				a.Fatal(err)
			}
		}, User.Install, "symbolic links"},
		{"read-only", func(a *account) { a.write(a.File, "Host a\n", 0o400) }, User.Install, "read-only"},
		{"several files in a line", func(a *account) { a.write(a.File, statement(a.Ours)+" other\n", 0o600) }, User.Remove, "line 1 includes other files"},
		{"a folder that is a file", func(a *account) { a.write(filepath.Dir(a.File), "", 0o600) }, User.Install, "not a directory"},
		{"a state directory that OpenSSH cannot name", func(a *account) { a.Ours = a.dir + "/*/ssh_config" }, User.Install, `'*'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			tt.make(&a)
			_, err := tt.do(a.User)
			if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), tt.want) || e.File != a.File {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A directory that cannot be written, as a read-only file system's, even for root: /proc takes no files.
func TestUnwritableFolder(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	if err := errors.Join(os.MkdirAll(filepath.Dir(a.File), 0o700), os.Symlink("/proc/self/status", a.File)); err != nil {
		t.Fatal(err)
	}
	_, err := a.Install()
	if e, ok := errors.AsType[*Error](err); !ok || e.Line != statement(a.Ours) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(a.File); err != nil {
		t.Error(err)
	}
}
