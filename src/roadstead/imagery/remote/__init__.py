"""Bytes of remote files: signed addresses, ranges, retries, and what is kept on disk."""
