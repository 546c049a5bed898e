"""Words that no file of ours says, and how a declared name that holds one is shown all the same.

A match, or a hull with no AIS partner, is a lead with a probability. What a ship's owner chose as its name is evidence:
it stands as it was declared, between quotation marks, and never as a word of ours.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection

import pandas as pd
from markupsafe import escape

from roadstead.core.errors import AccusationError
from roadstead.core.wording import REFUSED, REFUSED_ROOTS, accuses, plain_text

__all__ = ["LEAD", "REFUSED", "check_words", "declared_texts", "quoted"]

LEAD = "This is a lead with a probability, never a verdict."
"""Stands in every file about one finding."""
FREE_TEXT = ("name", "callsign", "destination")
"""Columns of `schemas.VESSELS` that a ship fills in as it likes."""
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[a-zA-Z/!?][^>]*>", re.IGNORECASE | re.DOTALL)
_ATTRIBUTES = re.compile(r"\b(?:alt|title|aria-label)\s*=\s*\"([^\"]*)\"", re.IGNORECASE)


def quoted(name: str) -> str:
    """Return a declared name (or destination, or callsign) as a file shows it: on one line, between quotation marks."""
    return f"“{' '.join(name.split())}”"


def declared_texts(vessels: pd.DataFrame) -> frozenset[str]:
    """Return every text of `schemas.VESSELS` that ships fill in as they like."""
    return frozenset(str(text) for name in FREE_TEXT for text in vessels[name].dropna())


def check_words(text: str, declared: Collection[str] = ()) -> str:
    """Return text, HTML or KML that accuses nobody.

    Args:
        text: what is to be written.
        declared: texts that ships declared; between quotation marks (`quoted`) they may hold any word.

    Raises:
        AccusationError: a refused word stands in it, outside of what was declared.
    """
    lowered = plain_text(text).lower()
    if "&#" not in text and not any(root in lowered for root in REFUSED_ROOTS):
        return text
    plain = text
    for name in sorted({name for name in declared if accuses(name)}, key=len, reverse=True):
        shown = quoted(name)
        for form in (shown, html.escape(shown), html.escape(shown, quote=False), str(escape(shown))):
            plain = plain.replace(form, " ")
    # KML holds HTML, escaped, so there are two layers; tags and lines may part two words.
    for _ in range(2):
        plain = html.unescape(" ".join([*_ATTRIBUTES.findall(plain), _TAGS.sub(" ", plain)]))
    if found := accuses(plain):
        raise AccusationError(f"a text that was to be written says {found!r}; Roadstead accuses nobody")
    return text
