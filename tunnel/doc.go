// Package tunnel keeps the way into the container open: the SSH connection of a session, and the forwards that ride
// on it.
//
// Conn owns the connection. It dials, authenticates both ends by pinned keys, watches the peer, and redials until it is
// told that the container is gone. Where several visitors of ports are there at a time it has a side connection for them, which belongs to it and
// which nobody else needs to know of. Manager owns the host's listeners. It compares what should be forwarded (open ports
// of the container, and Decide) with what is, and closes the difference.
//
// The package never binds anything but the host's loopback addresses, never connects to a discovered port unasked, and
// knows neither editors nor the container's engine. Package session wires it.
//
// Goroutines: Conn.Run has the redial loop, one that watches for the machine's sleep and one for Gone; per live connection
// a keepalive, one for requests and one for incoming channels, one that keeps its side connection, and that one's; and one for each channel served. Manager.Run has the owner,
// one accept loop per listener, and per forwarded connection two for the relay and one for the channel's requests. Conn.Exec has
// one for the conversation, two for the outputs, one for the input and one for the channel's requests. They have ended when Run
// returns, but for those that wait for an answer of the container's and end with the connection, one that reads a command's
// input, and those of a connection that would not end and was abandoned (see link).
package tunnel
