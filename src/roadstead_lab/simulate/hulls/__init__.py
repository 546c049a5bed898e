"""What simulated hulls are, and how they look from above."""
