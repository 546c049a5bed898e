"""Detections without pixels, drawn from the detector's published errors."""
