from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from roadstead.store import Store
from tests.unit.audit import builders as a


@pytest.fixture(scope="package")
def item(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an item with images."""
    return a.write_image(tmp_path_factory.mktemp("images"))


@pytest.fixture
def store(tmp_path: Path, item: Path) -> Iterator[Store]:
    """Return a store with six overpasses."""
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        for number in range(6):
            a.put(opened, item, number)
        yield opened
