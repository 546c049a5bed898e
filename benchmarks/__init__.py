"""Speed, memory and association figures; ``make bench`` runs them all."""
