package main

import (
	"runtime"
	"runtime/metrics"
	"testing"
)

// TestHeapFloor: the collector waits for as much as the comment of heapFloor says.
func TestHeapFloor(t *testing.T) {
	runtime.GC()
	goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(goal)
	if got, least := goal[0].Value.Uint64(), uint64(2*len(heapFloor)); got < least {
		t.Errorf("the collector's goal is %d bytes, want at least %d", got, least)
	}
}
