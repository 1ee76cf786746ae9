package main

// heapFloor keeps the collector from running before 64 MiB have been allocated since it last did, or twice the live heap where that is more.
//
// A busy forward makes a slice of 32 KiB for each packet that comes in (x/crypto/ssh), while little else is alive: without the floor
// the collector runs a hundred times a second, and takes a tenth of the processor's time and a sixth of the throughput.
//
// The bytes are address space only. Nothing touches them, so that the kernel gives them no memory; a process that allocates
// little, as an idle session does, is no larger for it. GOGC would set the same delay, but as a multiple of the live heap,
// which is too little for a small heap or far too much for one with thousands of connections.
var heapFloor = make([]byte, 32<<20)
