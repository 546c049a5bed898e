from pathlib import Path

import numpy as np
import pytest

from roadstead.imagery import SIMULATED_TAG, open_geotiff, write_cog
from tests import builders


@pytest.mark.parametrize("simulated", [True, False])
def test_a_geotiff_says_whether_it_is_simulated(tmp_path: Path, simulated: bool) -> None:
    frame = builders.grid(30, 20)
    tags = {"TIFFTAG_DATETIME": "2020:11:03 02:29:51", **({SIMULATED_TAG: "true"} if simulated else {})}
    write_cog(tmp_path / "chip.tif", np.full((4, 20, 30), 900, np.uint16), frame, tags=tags)
    assert open_geotiff(str(tmp_path / "chip.tif")).simulated is simulated
