"""Asks a relay, keeps what came back, and judges it against the document."""
