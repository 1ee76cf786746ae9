// Package browser looks at web pages with a Chromium: one that is installed here and is started headless, or a sidecar's at a DevTools URL.
//
// A [Browser] has one tab. It is started by the first action and again after it died or hung; actions run one after the other, each within a time
// limit. What the page writes to its console is kept, bounded; dialogs are answered and noted, as nobody is there to see them.
//
// The pages are not trusted: whatever comes from them is bounded. Chromium's own sandbox is off, since it needs privileges that the container does
// not have; the container is the fence.
//
// Goroutines: one reads the console and one the dialogs; they end with the tab, and closing it waits for them.
package browser
