"""Charts and small maps as files that need nothing else."""
