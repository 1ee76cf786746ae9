// Package shell runs the agent's commands: bounded in time and output, in process sessions of their own, with a working directory that
// stays from one to the next.
//
// [Shell.Run] runs a command to its end, or until its time is up or its context ends; then everything that it started is ended too.
// [Shell.Start] leaves one in the background as a job. What a command leaves behind that still holds its output (a server started
// with &) becomes a job too, so that its output is read on and it neither blocks the call nor dies of a closed pipe.
//
// Output is kept in memory up to a bound, its head and its tail; where there is more, the whole goes to a file, bounded as well.
//
// The package knows nothing of models and tools. It decides about no command whether it may run: the container is the fence.
//
// Goroutines: each command has one that waits for it and one that reads its output, each job one that watches its time. All end with the
// processes; [Shell.Close] ends those and waits.
package shell
