package tunnel_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sketch-ide/sketch-ide/ports"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// TestOver has the user's settings before the repository's, key by key.
func TestOver(t *testing.T) {
	t.Parallel()
	decode := func(document string) tunnel.Settings {
		t.Helper()
		s, err := tunnel.DecodeSettings([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	user := decode(`{"forwardPorts":[3000,5432],"maxForwards":3,"autoForwardPorts":false,
		"portsAttributes":{"3000":{"label":"mine"},"4000-4009":{"label":"range"}},
		"otherPortsAttributes":{"onAutoForward":"silent","requireLocalPort":false}}`)
	repository := decode(`{"forwardPorts":["db:5432",8080],"maxForwards":9,"autoForwardPorts":true,
		"portsAttributes":{"3000":{"label":"theirs","protocol":"https","elevateIfNeeded":true},"4000":{"label":"exactly"}},
		"otherPortsAttributes":{"onAutoForward":"ignore","requireLocalPort":true,"label":"else"}}`)
	yes, no := true, false
	want := tunnel.Settings{
		ForwardPorts: []tunnel.Target{{Port: 3000}, {Port: 5432}, {Port: 8080}},
		PortsAttributes: []tunnel.PortAttributes{
			{Key: "3000", From: 3000, To: 3000, Attributes: tunnel.Attributes{Label: "mine"}},
			{Key: "4000-4009", From: 4000, To: 4009, Attributes: tunnel.Attributes{Label: "range"}},
			{Key: "3000", From: 3000, To: 3000, Attributes: tunnel.Attributes{Label: "theirs", Protocol: "https", ElevateIfNeeded: &yes}},
			{Key: "4000", From: 4000, To: 4000, Attributes: tunnel.Attributes{Label: "exactly"}},
		},
		OtherPortsAttributes: tunnel.Attributes{OnAutoForward: tunnel.Silent, Label: "else", RequireLocalPort: &no},
		MaxForwards:          3,
		AutoForwardPorts:     &no,
	}
	both := user.Over(repository)
	if diff := cmp.Diff(want, both, cmp.AllowUnexported(regexp.Regexp{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(repository, tunnel.Settings{}.Over(repository)); diff != "" {
		t.Errorf("without the user's: (-want +got)\n%s", diff)
	}
	// The user's word on a port first, what it leaves open from the repository; and what is more exact before that.
	for port, label := range map[uint16]string{3000: "mine", 4000: "exactly", 4001: "range", 8080: "else"} {
		if d := tunnel.Decide(ports.Port{Number: port}, both, [2]uint16{}); d.Label != label || d.Protocol == "https" != (port == 3000) {
			t.Errorf("port %d: %+v", port, d)
		}
	}
}
