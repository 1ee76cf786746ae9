package jsonrpc

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxToast is the length of a toast in characters: longer ones stop Neovim with a "Press ENTER" prompt.
const maxToast = 60

// maxToastName is the length of a process name or a label in a toast.
const maxToastName = 24

// ToastText says in one line of at most 60 characters that ports were forwarded: "Port 3000 (vite) forwarded", "Port
// 3000 forwarded to 3001 (3000 in use)", "Ports 3000, 5173 +2 forwarded". Of several, those that got another number
// come first, since only they need to be known.
func ToastText(ports []Port) string {
	switch len(ports) {
	case 0:
		return ""
	case 1:
		return singleText(ports[0])
	}
	return fmt.Sprintf("Ports %s forwarded", listText(ports))
}

// failureText says that ports could not be forwarded: "Port 80 not forwarded: permission denied".
func failureText(ports []Port) string {
	switch len(ports) {
	case 0:
		return ""
	case 1:
		text := fmt.Sprintf("Port %d not forwarded", ports[0].Number)
		if reason := plainText(ports[0].Reason); reason != "" {
			text += ": " + reason
		}
		return clip(text, maxToast)
	}
	text := fmt.Sprintf("Ports %s not forwarded", listText(ports))
	if reason := commonReason(ports); reason != "" {
		text += ": " + reason
	}
	return clip(text, maxToast)
}

// commonReason is why none of several ports could be forwarded, without their numbers ("in use" for "3000 is in use"); empty where there is no one reason.
func commonReason(ports []Port) string {
	var common string
	for i, port := range ports {
		reason := strings.TrimPrefix(plainText(port.Reason), strconv.Itoa(port.Number)+" ")
		if i > 0 && reason != common {
			return ""
		}
		common = reason
	}
	return strings.TrimPrefix(common, "is ")
}

// limitText says that open ports are not forwarded, all for one reason: "Ports not forwarded: limit of 64 forwards reached". How many they are it does not
// say, since there are more than a list has room for.
func limitText(ports []Port) string {
	if len(ports) == 1 {
		return failureText(ports)
	}
	return clip("Ports not forwarded: "+plainText(toastOrder(ports)[0].Reason), maxToast)
}

func singleText(port Port) string {
	if !mapped(port) {
		name := clip(plainText(cmp.Or(port.Label, port.Process)), maxToastName)
		if name == "" {
			return fmt.Sprintf("Port %d forwarded", port.Number)
		}
		return fmt.Sprintf("Port %d (%s) forwarded", port.Number, name)
	}
	text := fmt.Sprintf("Port %d forwarded to %d", port.Number, port.HostPort)
	reason := strings.Replace(plainText(port.Reason), " is in use", " in use", 1)
	if full := fmt.Sprintf("%s (%s)", text, reason); reason != "" && len([]rune(full)) <= maxToast {
		return full
	}
	return text
}

// toastOrder sorts ports as a toast names them; the first two are named.
func toastOrder(ports []Port) []Port {
	return slices.SortedStableFunc(slices.Values(ports), func(a, b Port) int {
		if mapped(a) != mapped(b) {
			if mapped(a) {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Number, b.Number)
	})
}

// maxNamed is how many ports a toast about several names.
const maxNamed = 2

func listText(ports []Port) string {
	ordered := toastOrder(ports)
	var names []string
	for _, port := range ordered[:min(maxNamed, len(ordered))] {
		name := strconv.Itoa(port.Number)
		if mapped(port) {
			name += "→" + strconv.Itoa(port.HostPort)
		}
		names = append(names, name)
	}
	text := strings.Join(names, ", ")
	if rest := len(ordered) - maxNamed; rest > 0 {
		text += fmt.Sprintf(" +%d", rest)
	}
	return text
}

func mapped(port Port) bool {
	return port.Status == PortForwarded && port.HostPort != 0 && port.HostPort != port.Number
}

// plainText makes one line of printable characters from text that may come from a container.
func plainText(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// plainLines makes printable lines of text that may come from a container.
func plainLines(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
}

func clip(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}
