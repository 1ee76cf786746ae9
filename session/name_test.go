package session

import "testing"

func TestValidName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"sketch-brave-otter": true, "sketch-a1": true, "sketch-fix-login-2": true,
		"": false, "sketch": false, "sketch-": false, "brave-otter": false, "sketch--otter": false, "sketch-otter-": false,
		"sketch-Otter": false, "sketch-ötter": false, "sketch-a/b": false, "sketch-..": false, "sketch-a b": false, "sketch-a\n": false,
		"sketch-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("ValidName(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestEveryDrawnNameIsValid(t *testing.T) {
	t.Parallel()
	for _, adjective := range adjectives {
		for _, animal := range animals {
			if name := NamePrefix + adjective + "-" + animal; !ValidName(name) {
				t.Errorf("%q is not valid", name)
			}
		}
	}
}

func TestNewNameAvoidsWhatIsTaken(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		name, err := newName(func(s string) bool { return seen[s] })
		if err != nil {
			t.Fatal(err)
		}
		if seen[name] {
			t.Fatalf("%q was drawn although it is taken", name)
		}
		if !ValidName(name) {
			t.Fatalf("%q is not valid", name)
		}
		seen[name] = true
	}
	if _, err := newName(func(string) bool { return true }); err == nil {
		t.Error("a name was found although all are taken")
	}
}
