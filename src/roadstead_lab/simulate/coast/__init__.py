"""Land, quays and water of a frame."""
