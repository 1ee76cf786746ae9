package devcontainer

import (
	"encoding/json"
	"testing"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

func jsonObject(data json.RawMessage) bool {
	var o map[string]json.RawMessage
	return json.Unmarshal(data, &o) == nil && o != nil
}

// TestPortsAreTunnelSettings holds the two packages together, which know nothing of each other.
func TestPortsAreTunnelSettings(t *testing.T) {
	t.Parallel()
	path := write(t, whole, t.TempDir(), dotFile)
	c, err := Load(path)
	if err == nil {
		t.Fatal("the Dockerfile above the root was not refused")
	}
	s, err := tunnel.DecodeSettings(c.Ports())
	must(t, err)
	if len(s.ForwardPorts) != 2 || s.ForwardPorts[1] != (tunnel.Target{Host: "db", Port: 5432}) {
		t.Errorf("got forwards %+v", s.ForwardPorts)
	}
	if len(s.PortsAttributes) != 2 || s.PortsAttributes[0].Key != "9000" || s.PortsAttributes[1].OnAutoForward != tunnel.Silent {
		t.Errorf("got attributes %+v", s.PortsAttributes)
	}
}

func TestPortsBelongToTheCaller(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, `{"otherPortsAttributes": {"label": "x"}}`, t.TempDir(), dotFile))
	must(t, err)
	c.Ports()[0] = '!'
	if got := string(c.Ports()); got != `{"otherPortsAttributes":{"label":"x"}}` {
		t.Errorf("got %s", got)
	}
}
