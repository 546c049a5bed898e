"""Released findings for the outside: redacted, with their corrections and replies."""
