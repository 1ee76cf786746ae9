// Package devcontainer reads devcontainer.json (https://containers.dev/implementors/json_reference): it finds the file in a
// repository, turns it into a [Config], substitutes its variables, and tells when to look again.
//
// The file comes with the repository, so it is not trusted: its size, nesting and number of values are bounded, the paths in it cannot
// leave the repository, and nothing in it is acted upon. What of it is granted (mounts, privileges, the host's environment, an
// initializeCommand, which the specification runs on the host) is the caller's decision. The package never runs anything, never writes,
// and knows neither the container's engine nor the meaning of ports: [Config.Ports] is for tunnel.DecodeSettings. Package session uses it.
//
// Goroutines: [Watch] has one that collects the errors of fsnotify, and fsnotify's own; both have ended when it returns.
package devcontainer
