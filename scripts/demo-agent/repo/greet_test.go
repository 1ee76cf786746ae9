package main

import "testing"

func TestGreet(t *testing.T) {
	for name, want := range map[string]string{"": "Hello, World!", " Ada ": "Hello, Ada!"} {
		if got := Greet(name); got != want {
			t.Errorf("Greet(%q) = %q, want %q", name, got, want)
		}
	}
}
