package repo

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

var errDiff = errors.New("git's description of the differences cannot be understood")

// parseDiffList reads the output of diff-tree --raw --numstat -z: first an entry for each file with its status, then one with its counts.
func parseDiffList(data []byte) (Diff, error) {
	p := diffList{rest: data}
	for len(p.rest) > 0 {
		var err error
		if p.rest[0] == ':' {
			err = p.raw()
		} else {
			err = p.counts()
		}
		if err != nil {
			return Diff{}, err
		}
	}
	if p.counted != len(p.files) {
		return Diff{}, fmt.Errorf("%w: %d files, %d counts", errDiff, len(p.files), p.counted)
	}
	return Diff{Files: p.files}, nil
}

type diffList struct {
	rest    []byte
	files   []FileDiff
	counted int // files that have their counts
}

func (p *diffList) field() (string, error) {
	field, rest, ok := bytes.Cut(p.rest, []byte{0})
	if !ok {
		return "", fmt.Errorf("%w: cut off", errDiff)
	}
	p.rest = rest
	return strings.ToValidUTF8(string(field), "\uFFFD"), nil
}

var rawEntry = regexp.MustCompile(`^:[0-7]{6} [0-7]{6} [0-9a-f]{40,64} [0-9a-f]{40,64} ([A-Z])[0-9]{0,3}$`)

func (p *diffList) raw() error {
	entry, err := p.field()
	if err != nil {
		return err
	}
	m := rawEntry.FindStringSubmatch(entry)
	if m == nil {
		return fmt.Errorf("%w: entry %.80q", errDiff, entry)
	}
	f := FileDiff{Status: FileStatus(m[1][0])}
	switch f.Status {
	case Added, Modified, Deleted, TypeChanged:
	case Renamed:
		if f.OldPath, err = p.field(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%w: status %q", errDiff, m[1])
	}
	f.Path, err = p.field()
	p.files = append(p.files, f)
	return err
}

// counts reads "added TAB deleted TAB path", and of a renamed file "added TAB deleted TAB" and two more fields. A binary file has dashes.
func (p *diffList) counts() error {
	entry, err := p.field()
	if err != nil {
		return err
	}
	if p.counted >= len(p.files) {
		return fmt.Errorf("%w: more counts than files", errDiff)
	}
	f := &p.files[p.counted]
	p.counted++
	fields := strings.SplitN(entry, "\t", 3)
	if len(fields) != 3 {
		return fmt.Errorf("%w: count %.80q", errDiff, entry)
	}
	path := fields[2]
	if f.Status == Renamed {
		for range 2 {
			if path, err = p.field(); err != nil {
				return err
			}
		}
	}
	if path != f.Path {
		return fmt.Errorf("%w: counts of %.80q for %.80q", errDiff, path, f.Path)
	}
	if fields[0] == "-" {
		f.Binary = true
		return nil
	}
	added, err1 := strconv.ParseUint(fields[0], 10, 31)
	deleted, err2 := strconv.ParseUint(fields[1], 10, 31)
	f.Added, f.Deleted = int(added), int(deleted)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("%w: count %.80q", errDiff, entry)
	}
	return nil
}

// parsePatch reads a patch whose files are these, in order, and gives them their hunks. A file whose type changed is in it twice, as deleted and
// as added. errTooLong: there is more than people read; files without all of their hunks have none.
func parsePatch(r io.Reader, files []FileDiff) error {
	p := patch{lines: bufio.NewReaderSize(r, 64<<10), files: files, at: -1}
	for {
		line, err := p.line()
		if errors.Is(err, io.EOF) {
			return p.end()
		}
		if err != nil {
			return err
		}
		if err := p.take(line); err != nil {
			if errors.Is(err, errTooLong) && p.at >= 0 && p.at < len(p.files) {
				p.files[p.at].Hunks = nil
			}
			return err
		}
	}
}

type patch struct {
	lines    *bufio.Reader
	files    []FileDiff
	at       int // index of the current file
	again    bool
	old, new int // lines that the current hunk still has
	total    int // bytes kept
}

// line reads one line without its end, of which maxDiffLine bytes are kept.
func (p *patch) line() (string, error) {
	var kept []byte
	for {
		part, err := p.lines.ReadSlice('\n')
		kept = append(kept, part[:min(len(part), maxDiffLine-len(kept))]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) && len(kept) > 0 {
			err = nil
		}
		return strings.ToValidUTF8(strings.TrimSuffix(string(kept), "\n"), "\uFFFD"), err
	}
}

var hunkHeader = regexp.MustCompile(`^@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@ ?(.*)$`)

func (p *patch) take(line string) error {
	if p.total += len(line) + 1; p.total > maxDiffBytes {
		return errTooLong
	}
	switch {
	case p.old > 0 || p.new > 0 || p.at >= 0 && strings.HasPrefix(line, `\`):
		return p.hunkLine(line)
	case strings.HasPrefix(line, "diff --git "):
		return p.next()
	case p.at >= 0 && strings.HasPrefix(line, "@@ "):
		return p.hunk(line)
	}
	return nil // of a file's header; git's list has it all
}

func (p *patch) next() error {
	if p.at >= 0 && p.files[p.at].Status == TypeChanged && !p.again {
		p.again = true
		return nil
	}
	p.at, p.again = p.at+1, false
	if p.at >= len(p.files) {
		return fmt.Errorf("%w: more files than listed", errDiff)
	}
	return nil
}

func (p *patch) hunk(line string) error {
	m := hunkHeader.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("%w: hunk %.80q", errDiff, line)
	}
	h := Hunk{OldStart: number(m[1], 0), OldLines: number(m[2], 1), NewStart: number(m[3], 0), NewLines: number(m[4], 1), Header: m[5]}
	p.old, p.new = h.OldLines, h.NewLines
	f := &p.files[p.at]
	f.Hunks = append(f.Hunks, h)
	return nil
}

// number reads digits that a pattern has matched; absent ones mean missing.
func number(s string, missing int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return missing
	}
	return n
}

func (p *patch) hunkLine(line string) error {
	hunks := p.files[p.at].Hunks
	if len(hunks) == 0 {
		return fmt.Errorf("%w: line outside of a hunk", errDiff)
	}
	if line == "" {
		line = " " // an empty line of context, as some write it
	}
	switch line[0] {
	case ' ':
		p.old, p.new = p.old-1, p.new-1
	case '-':
		p.old--
	case '+':
		p.new--
	case '\\':
	default:
		return fmt.Errorf("%w: line %.80q", errDiff, line)
	}
	if p.old < 0 || p.new < 0 {
		return fmt.Errorf("%w: a hunk has more lines than it says", errDiff)
	}
	h := &hunks[len(hunks)-1]
	h.Lines = append(h.Lines, line)
	return nil
}

func (p *patch) end() error {
	if p.old > 0 || p.new > 0 {
		return fmt.Errorf("%w: cut off in a hunk", errDiff)
	}
	return nil
}
