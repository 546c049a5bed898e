"""Hooks of mkdocs: pages that lie outside docs/ become part of the site, and links between all of them lead on.

The repository keeps README, CONTRIBUTING or a model's card where people look for them; on the site each has the place
that it has in the repository, and docs/ is the top. A link to a file that is no page, such as a module, stays as words.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parents[1]
OUTSIDE: Final = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "aoi/README.md",
    "examples/README.md",
    "models/*/card.md",
    "models/*/dataset.md",
    "models/*/failures.png",
)
"""Patterns of files, from the top of the repository."""
_LINK: Final = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files from outside docs/."""
    for pattern in OUTSIDE:
        for path in sorted(ROOT.glob(pattern)):
            uri = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the links of a page for where things lie on the site."""
    return mended(markdown, page.file.src_uri, {file.src_uri for file in files})


def mended(markdown: str, uri: str, known: set[str]) -> str:
    """Return a page whose links name places of the site.

    Args:
        markdown: the page as it stands in the repository.
        uri: its place on the site.
        known: all places of the site.
    """

    def rewritten(link: re.Match[str]) -> str:
        picture, words, target, anchor = link.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(in_repository(uri)), target))
        place = _place(path, known)
        if place is not None:
            near = posixpath.relpath(place, posixpath.dirname(uri) or ".")
            return f"{picture}[{words}]({near}{anchor or ''})"
        # What is nowhere keeps its link, which fails the build.
        return words if (ROOT / path).exists() and not picture else link.group(0)

    return _LINK.sub(rewritten, markdown)


def in_repository(uri: str) -> str:
    """Return the path in the repository of a place on the site."""
    return (
        uri
        if any(Path(uri).match(pattern) and (ROOT / uri).exists() for pattern in OUTSIDE)
        else f"docs/{uri}"
    )


def _place(path: str, known: set[str]) -> str | None:
    """Return the place of a file or folder on the site; None where it has none."""
    inside = path.removeprefix("docs/")
    return next((one for one in (inside, posixpath.join(inside, "README.md")) if one in known), None)
