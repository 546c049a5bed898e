"""The templates of every export: what they are filled with is escaped, and a name that is missing is an error."""

from __future__ import annotations

import jinja2


def templates() -> jinja2.Environment:
    """Return the templates of ``publish/templates``, an environment of one's own."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("roadstead.publish"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
