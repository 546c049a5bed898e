"""The documentation as a site: it builds offline without a warning, asks no other host, describes every public name."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

import roadstead

ROOT = Path(__file__).parents[2]


class Page(HTMLParser):
    """Addresses that a page loads by itself, those it leads to, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        address = given.get("src") or given.get("href", "")
        if tag in ("script", "link", "img", "iframe", "source", "video"):
            self.loads += [address] if address else []
        elif tag == "a" and address:
            self.leads.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site, built as `make site` builds it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "WARNING" not in said
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "tools" / "site_hooks.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_page_loads_anything_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    assert len(pages) > 30
    for path, page in pages.items():
        assert page.loads, path
        assert [address for address in page.loads if urlsplit(address).netloc] == [], path
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert "url(http" not in text and "url(//" not in text and "@import" not in text, sheet


def test_every_link_within_the_site_leads_to_a_page_and_an_anchor(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        if path.name == "404.html":  # served for any address, so its links begin at the top
            continue
        for link in (*page.leads, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / parts.path).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), (path, link)
            if parts.fragment and target in pages and not parts.fragment.startswith("__"):
                assert parts.fragment in pages[target].anchors, (path, link)


def test_every_public_name_has_its_entry(site: Path, pages: dict[Path, Page]) -> None:
    anchors = pages[site / "python.html"].anchors
    for name in set(roadstead.__all__) - {"__version__"}:
        assert f"roadstead.{name}" in anchors, name
    for name in ("roadstead.Detections.write", "roadstead.Store.open", "roadstead.workflows.watch.Watched"):
        assert name in anchors


def test_the_readme_is_the_first_page_and_guides_outside_docs_are_there(site: Path) -> None:
    assert "Counts" in (site / "index.html").read_text(encoding="utf-8")
    for name in (
        "CONTRIBUTING",
        "SECURITY",
        "CHANGELOG",
        "architecture",
        "models/s2-obb-n-4/card",
        "aoi/index",
    ):
        assert (site / f"{name}.html").is_file(), name


def test_links_between_pages_of_the_repository_are_those_of_the_site(hooks: ModuleType) -> None:
    known = {
        "README.md",
        "exports.md",
        "decisions/README.md",
        "models/s2-obb-n-4/card.md",
        "images/report.png",
    }
    text = "[a](docs/exports.md#x) ![p](docs/images/report.png) [m](src/roadstead/__init__.py) [d](docs/decisions)"
    assert hooks.mended(text, "README.md", known) == (
        "[a](exports.md#x) ![p](images/report.png) m [d](decisions/README.md)"
    )
    assert hooks.mended("[c](../../models/s2-obb-n-4/card.md)", "decisions/0001-jobs-layer.md", known) == (
        "[c](../models/s2-obb-n-4/card.md)"
    )


def test_a_link_to_what_is_nowhere_is_left_for_the_build_to_refuse(hooks: ModuleType) -> None:
    assert hooks.mended("[n](docs/nowhere.md)", "README.md", {"README.md"}) == "[n](docs/nowhere.md)"
