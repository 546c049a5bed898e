"""The weekly brief: one page a port."""
