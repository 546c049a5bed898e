from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from roadstead.store import Store
from tests.unit.apps.desk import builders as r


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a store with leads and four people."""
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        r.fill(opened)
        r.people(opened)
        yield opened


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Store]:
    """Return a store with leads and nobody who may log in."""
    with Store.open(f"sqlite:///{tmp_path / 'bare.sqlite'}") as opened:
        r.fill(opened)
        yield opened


@pytest.fixture
def browser(store: Store) -> r.Browser:
    """Return a browser in which nobody has logged in."""
    return r.Browser(r.desk(store))


@pytest.fixture
def ana(browser: r.Browser) -> r.Browser:
    """Return a browser in which an analyst has logged in."""
    assert browser.log_in("ana").status_code == 303
    return browser
