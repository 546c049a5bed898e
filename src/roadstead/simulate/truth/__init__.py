"""What was really there."""
