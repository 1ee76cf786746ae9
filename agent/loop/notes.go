package loop

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/ports"
)

// notes is what has happened since the model was asked last: ports that opened or closed, background jobs that ended, the host's branch that moved on.
func (l *Loop) notes(ctx context.Context) []string {
	var notes []string
	if jobs := strings.TrimSpace(l.tools.JobsNote()); jobs != "" {
		notes = append(notes, jobs)
	}
	if changed := l.portsNote(ctx); changed != "" {
		notes = append(notes, changed)
	}
	if l.cfg.Notes != nil {
		if news := strings.TrimSpace(l.cfg.Notes()); news != "" {
			notes = append(notes, news)
		}
	}
	return notes
}

// maxPortNotes bounds how many ports one note names.
const maxPortNotes = 20

// portsNote tells the difference between the open ports and those that the model was told of. Those that are open at first are told
// as well: the host forwards all of them alike.
func (l *Loop) portsNote(ctx context.Context) string {
	if l.cfg.Ports == nil {
		return ""
	}
	// What has been scanned is there at once; nothing is waited for.
	now, cancel := context.WithCancel(ctx)
	cancel()
	snapshot, err := l.cfg.Ports(now)
	if err != nil {
		return ""
	}
	open := make(map[uint16]string, len(snapshot.Ports))
	for _, port := range snapshot.Ports {
		open[port.Number] = port.Process
	}
	var lines []string
	for _, number := range slices.Sorted(maps.Keys(open)) {
		if _, known := l.told[number]; !known {
			lines = append(lines, opened(snapshot, number))
		}
	}
	for _, number := range slices.Sorted(maps.Keys(l.told)) {
		if _, still := open[number]; !still {
			lines = append(lines, fmt.Sprintf("Port %d closed.", number))
		}
	}
	l.told = open
	if len(lines) > maxPortNotes {
		lines = append(lines[:maxPortNotes], fmt.Sprintf("And %d more changes of ports.", len(lines)-maxPortNotes))
	}
	return strings.Join(lines, "\n")
}

func opened(snapshot ports.Snapshot, number uint16) string {
	for _, port := range snapshot.Ports {
		if port.Number == number && port.Process != "" {
			return fmt.Sprintf("Port %d opened (%s).", number, port.Process)
		}
	}
	return fmt.Sprintf("Port %d opened.", number)
}
