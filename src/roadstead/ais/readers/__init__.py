"""Files of AIS, each format to batches of rows as the source wrote them."""
