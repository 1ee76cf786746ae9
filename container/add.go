package container

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
)

const addHint = "Fetch it in a RUN step, which runs in the build's own network: RUN curl -fsSLO <URL>"

// checkAdds refuses what would make the engine fetch something in the network of its own machine, where it reaches what
// neither the Dockerfile's author nor a container does: an ADD of a URL whose host is an address of this machine, of a
// private network, or of a cloud's metadata service, or whose host is not written out. It goes by what is written: that
// a public name leads to such an address, or redirects there, only the engine sees.
func checkAdds(name string, data []byte) error {
	for _, syntax := range allSyntaxes() {
		for _, line := range logicalLines(string(data), syntax) {
			if err := checkAdd(name, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkAdd looks at one instruction.
func checkAdd(name, line string) error {
	word, rest := firstWord(line)
	if strings.EqualFold(word, "ONBUILD") { // takes effect where a later stage builds upon this one
		word, rest = firstWord(rest)
	}
	if strings.EqualFold(word, "ADD") {
		return checkSources(name, line, rest)
	}
	return nil
}

func firstWord(line string) (word, rest string) {
	line = strings.TrimSpace(line)
	i := strings.IndexFunc(line, unicode.IsSpace)
	if i < 0 {
		return line, ""
	}
	return line[:i], line[i:]
}

func checkSources(name, line, args string) error {
	for _, src := range addSources(args) {
		reason, hint := refuseAdd(src)
		if reason != "" {
			return &BuildError{Dockerfile: name, Step: printable(line), Reason: reason, Hint: hint}
		}
	}
	return nil
}

// addSources are the arguments but for flags and the destination. Those of the JSON form are listed in both readings,
// since what is no valid JSON is read as words.
func addSources(args string) []string {
	var list []string
	words := strings.Fields(args)
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		words = words[1:]
	}
	if len(words) > 1 {
		list = append(list, words[:len(words)-1]...)
	}
	var quoted []string
	if i := strings.IndexByte(args, '['); i >= 0 && json.Unmarshal([]byte(args[i:]), &quoted) == nil && len(quoted) > 1 {
		list = append(list, quoted[:len(quoted)-1]...)
	}
	return list
}

// refuseAdd tells why a source is refused, or "".
func refuseAdd(src string) (reason, hint string) {
	// Quotes and escapes may stand anywhere in a word, and vanish.
	src = strings.NewReplacer(`"`, "", `'`, "", `\`, "", "`", "").Replace(src)
	literal, _, variable := strings.Cut(src, "$")
	scheme, rest, isURL := cutScheme(literal)
	if !isURL {
		if variable && (strings.HasPrefix("http://", scheme) || strings.HasPrefix("https://", scheme)) {
			return "ADD of a variable may be one of any URL, which the engine would fetch in the network of its own machine",
				"For a file of the repository use COPY, or begin its path with ./ ; for a URL, write out the host or use a RUN step with curl."
		}
		return "", ""
	}
	if variable && !strings.ContainsAny(rest, "/?#") {
		return "ADD of a URL whose host is a variable may lead anywhere, and the engine would fetch it in the network of its own machine",
			"Write out the host. Or: " + lowerFirst(addHint)
	}
	u, err := url.Parse(scheme + rest)
	if err != nil || !publicHost(u.Hostname()) {
		host := rest
		if err == nil {
			host = u.Host
		}
		return fmt.Sprintf("ADD of a URL at %s is refused: the engine would fetch it in the network of its own machine", printable(host)), addHint
	}
	return "", ""
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// cutScheme cuts the scheme of what the builder takes for a URL, with "://"; where it is none, that is all of s in
// lower case.
func cutScheme(s string) (scheme, rest string, ok bool) {
	lower := strings.ToLower(s)
	for _, scheme := range []string{"http://", "https://"} {
		if strings.HasPrefix(lower, scheme) {
			return scheme, s[len(scheme):], true
		}
	}
	return lower, "", false
}

// localNames are names of this machine, of the engine's, and of the services that tell a cloud's machines their
// credentials. Each stands for the names below it too.
var localNames = []string{
	"localhost", "localdomain", "ip6-localhost", "ip6-loopback", "localhost4", "localhost6",
	"docker.internal", "containers.internal", "lima.internal", "metadata", "metadata.google.internal", "metadata.goog",
	"metadata.azure.internal", "instance-data", "instance-data.ec2.internal",
}

// publicHost tells whether a host, as written, may be one of the internet's. A name that is not in ASCII is turned into
// one before it is looked up, perhaps into an address; it can be written in the other form.
func publicHost(host string) bool {
	host = strings.ToLower(strings.TrimRight(host, "."))
	if host == "" || strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return false
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return publicAddr(addr)
	}
	for _, name := range localNames {
		if host == name || strings.HasSuffix(host, "."+name) {
			return false
		}
	}
	// 127.1, 2130706433 and 0x7f.1 are no addresses to Go, and 127.0.0.1 to the C library.
	last := host[strings.LastIndexByte(host, '.')+1:]
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}

var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),     // "this network": Linux takes it for itself
	netip.MustParsePrefix("100.64.0.0/10"), // carriers' and overlays' private networks, and a cloud's metadata
	netip.MustParsePrefix("64:ff9b::/96"),  // IPv4 addresses of any kind behind NAT64
	netip.MustParsePrefix("::/96"),         // IPv4 addresses of any kind in the oldest way of writing
}

func publicAddr(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, p := range notPublic {
		if p.Contains(addr) {
			return false
		}
	}
	return addr.IsGlobalUnicast() && !addr.IsPrivate()
}
