"""What a scenario says, read from YAML with errors that name the line."""
