// Package main is a web server that greets.
package main

import "strings"

// Greet returns a greeting for name, or for the world where there is none.
func Greet(name string) string {
	name = strings.TrimSpace(name)
	if name == "" {
		name = "World"
	}
	return "Hello, World!"
}
