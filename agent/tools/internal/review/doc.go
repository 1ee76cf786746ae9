// Package review checks the Go code that a change touched: gofmt, go vet, the tests of the changed packages and of those that import them, and
// gopls where it is installed. What it finds is compared with the commit that the change began at, so that only what is new counts.
//
// It changes nothing in the repository. The code before the change is looked at in a temporary worktree, which is removed again, and only if
// something was found after it. Programs run in process groups that end with the context, and their output is bounded.
//
// The package starts no goroutine.
package review
