"""Detection: tile an overpass, run the network, merge its boxes in map units, measure hulls.

``load_model`` -> ``detect_mosaic`` -> `schemas.DETECTIONS`.
"""

from roadstead.detection.detect import FLOOR, BlockReader, detect_mosaic
from roadstead.detection.model import Model, load_model
from roadstead.detection.runtime import runtime_name

__all__ = ["FLOOR", "BlockReader", "Model", "detect_mosaic", "load_model", "runtime_name"]
