"""Ships, their identities, and where each is at any time."""
