"""EuroSAT chips become training scenes: what is sure is taught, what may be a vessel is painted over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from roadstead.core.errors import BadInputError
from roadstead.core.schemas import CLASSES
from roadstead_lab.training.eurosat import CHIP_PX, eurosat_scenes

HEAD = "chip,id,verdict,class,kind,confidence,cx,cy,length_px,width_px,angle_deg,note\n"
ROWS = (
    "River_1.jpg,0,vessel,barge,barge,low,20.0,30.0,10.0,2.0,0.0,\n"
    "River_1.jpg,1,vessel,other_vessel,small_craft,low,50.0,50.0,3.0,1.2,0.0,dot\n"
    "River_2.jpg,0,unsure,other_vessel,other,low,32.0,32.0,8.0,2.0,45.0,\n"
    "River_2.jpg,1,vessel,other_vessel,tanker,med,12.0,12.0,8.0,2.0,90.0,\n"
    "River_3.jpg,0,none,,,,,,,,,\n"
)
WATER, HULL = 60, 220


def write_chips(shared: Path, rows: str = ROWS, side: int = CHIP_PX) -> None:
    for part in ("chips", "negatives"):
        (shared / "eurosat" / part).mkdir(parents=True)
    (shared / "eurosat" / "labels.csv").write_text(HEAD + rows)
    for number in (1, 2, 3):
        chip = np.full((side, side, 3), WATER, np.uint8)
        if number == 2:
            chip[31:34, 31:34] = HULL
        Image.fromarray(chip).save(shared / "eurosat" / "chips" / f"River_{number}.jpg", quality=95)
    Image.fromarray(np.full((side, side, 3), 120, np.uint8)).save(
        shared / "eurosat" / "negatives" / "Yard_1.jpg"
    )


def test_sure_hulls_are_taught_where_they_lie_in_the_mosaic(tmp_path: Path) -> None:
    write_chips(tmp_path)
    labelled, _ = eurosat_scenes(tmp_path)
    assert [CLASSES[k] for k in labelled.classes] == ["barge", "other_vessel"]
    # The second chip lies one chip further right; an integer in the table is a pixel's centre.
    np.testing.assert_allclose(labelled.corners.mean(1), [[20.5, 30.5], [CHIP_PX + 12.5, 12.5]])
    np.testing.assert_allclose(np.ptp(labelled.corners, axis=1), [[10, 2], [2, 8]], atol=1e-5)


def test_what_may_be_a_vessel_is_painted_over(tmp_path: Path) -> None:
    write_chips(tmp_path)
    labelled, _ = eurosat_scenes(tmp_path)
    middle = labelled.rgb[32, CHIP_PX + 32]
    assert middle.max() < HULL / 2, "the hull that nobody was sure of still shows"


def test_pixels_are_stretched_as_the_visual_asset(tmp_path: Path) -> None:
    write_chips(tmp_path)
    labelled, negatives = eurosat_scenes(tmp_path)
    assert labelled.rgb[5, 5, 0] == pytest.approx(WATER * 0.275 / 0.3558, abs=1)
    assert negatives.rgb[5, 5, 0] == pytest.approx(120 * 0.275 / 0.3558, abs=1)
    assert not negatives.rgb[CHIP_PX:].any(), "where no chip lies there is no data"


def test_negatives_teach_no_hull_and_none_is_laid_on_any_chip(tmp_path: Path) -> None:
    write_chips(tmp_path)
    labelled, negatives = eurosat_scenes(tmp_path)
    assert not len(negatives.corners)
    assert not labelled.water.any() and not negatives.water.any()


def test_without_the_chips_there_is_no_scene(tmp_path: Path) -> None:
    assert eurosat_scenes(tmp_path) == ()


def test_a_chip_of_another_size_is_named(tmp_path: Path) -> None:
    write_chips(tmp_path, side=32)
    with pytest.raises(BadInputError, match=r"River_1.jpg: 32 x 32 pixels"):
        eurosat_scenes(tmp_path)


def test_a_chip_that_is_absent_is_named(tmp_path: Path) -> None:
    write_chips(tmp_path)
    (tmp_path / "eurosat" / "chips" / "River_2.jpg").unlink()
    with pytest.raises(BadInputError, match=r"River_2.jpg"):
        eurosat_scenes(tmp_path)


def test_a_table_without_a_column_is_named(tmp_path: Path) -> None:
    write_chips(tmp_path)
    path = tmp_path / "eurosat" / "labels.csv"
    path.write_text(path.read_text().replace("angle_deg", "angle"))
    with pytest.raises(BadInputError, match=r"labels.csv: lacks the column angle_deg"):
        eurosat_scenes(tmp_path)
