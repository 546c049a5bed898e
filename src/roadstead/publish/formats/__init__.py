"""One module a file format, and the layers that all of them write."""
