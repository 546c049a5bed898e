"""Detection: tile, infer, merge, measure. One oriented box per hull, with probabilities and an interval."""

from roadstead.detection.detect import detect_mosaic
from roadstead.detection.model import Model, load_model
from roadstead.detection.runtime import runtime_name

__all__ = ["Model", "detect_mosaic", "load_model", "runtime_name"]
