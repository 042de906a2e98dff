"""Sans-io: bytes in, values out. Nothing here waits, reads a clock or opens a socket."""
