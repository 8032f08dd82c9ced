"""Programs that measure Tideline beside a peer, in turn, and print a ratio: `make bench`."""
