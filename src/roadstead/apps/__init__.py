"""Front ends: the command line and the analyst's desk. Nothing imports them but the lab's commands and the flows."""
