from pathlib import Path

import pytest

from roadstead.imagery import group_overpasses, open_item
from tests import builders


@pytest.mark.parametrize("platform", ["sentinel-2b", "Sentinel-2B", "S2B", "sentinel-2", None])
def test_one_pass_is_one_overpass_whatever_the_items_call_the_satellite(
    tmp_path: Path, platform: str | None
) -> None:
    frame = builders.grid(40, 40)
    first = builders.write_item(tmp_path, "ONE", frame, properties={})
    second = builders.write_item(
        tmp_path, "TWO", builders.grid(40, 40, col=30), properties={}, platform=platform
    )
    port = builders.port(builders.grid(80, 40))
    overpasses = group_overpasses([open_item(str(first)), open_item(str(second))], port)
    assert len(overpasses) == 1
