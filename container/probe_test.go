package container

import (
	"strings"
	"testing"
)

func TestInstallersAreProbed(t *testing.T) {
	t.Parallel()
	for manager := range installers {
		if !strings.Contains(probeScript, " "+manager+" ") && !strings.Contains(probeScript, " "+manager+";") {
			t.Errorf("the probe does not look for %s", manager)
		}
	}
}

func TestParseProbe(t *testing.T) {
	t.Parallel()
	got, err := parseProbe("noise\nuid=1000\ngid=0\r\nhome=\nbash=yes\nmanager=apk\nother=1\n")
	want := probe{UID: 1000, Home: "/", Bash: true, Manager: "apk"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "uid=1", "uid=-1\ngid=1", "uid=x\ngid=1"} {
		if _, err := parseProbe(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
