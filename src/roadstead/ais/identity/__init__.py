"""Who a vessel says it is: numbers, flags, changes, and the lists that name it."""
