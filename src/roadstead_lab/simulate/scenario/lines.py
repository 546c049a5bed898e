"""YAML read into plain values that remember their lines, so that a later fault can name one.

Scalars follow the core schema of YAML 1.2: `02:28:31` and `2020-11-01` stay text, `no` and `off` too. PyYAML's own
YAML 1.1 rules would read the first as 8911, a number in base 60.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from roadstead.core.errors import ScenarioError

Where = tuple[str | int, ...]
"""Keys and 0-based positions from the top of the file to a value."""
LARGEST = 200_000
"""Values in one file; aliases that multiply beyond are a mistake or an attack."""
_MOST_FAULTS = 12


@dataclass(frozen=True)
class Fault:
    """What is wrong with one value."""

    path: Where
    text: str
    line: int | None = None
    """Where it is another than the value's own."""


@dataclass(frozen=True)
class Source:
    """Where a scenario was written down."""

    name: str
    """The file, as the user named it."""
    lines: dict[Where, int] = field(default_factory=dict)
    """Line of each value, from 1; empty where a scenario was made in Python."""

    def line(self, path: Where) -> int | None:
        """Return the line of a value, or of the nearest thing around it."""
        around = (path[:end] for end in range(len(path), -1, -1))
        return next((self.lines[p] for p in around if p in self.lines), None)

    def error(self, faults: Iterable[Fault]) -> ScenarioError:
        """Return the error that tells these faults in the order of their lines, one a line."""
        found = sorted(faults, key=lambda fault: self._line_of(fault) or 0)
        told = [self._told(fault) for fault in found[:_MOST_FAULTS]]
        if len(found) > _MOST_FAULTS:
            told.append(f"and {len(found) - _MOST_FAULTS} more")
        return ScenarioError("\n".join(told))

    def _line_of(self, fault: Fault) -> int | None:
        return fault.line or self.line(fault.path)

    def _told(self, fault: Fault) -> str:
        line = self._line_of(fault)
        place = self.name if line is None else f"{self.name}:{line}"
        return f"{place}: {written(fault.path)}: {fault.text}" if fault.path else f"{place}: {fault.text}"


def written(path: Where) -> str:
    """Return a path as one writes it: ``ports[0].fleet[2].length_m``; positions count from 0."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


class _Core(yaml.SafeLoader):
    """Composes nodes; its scalars are resolved by the core schema."""


# A class attribute of PyYAML's own: first character -> (tag, pattern).
_Core.yaml_implicit_resolvers = {}
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Core.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)  # fmt: skip
_SCALARS: Final[dict[str, Callable[[str], Any]]] = {
    "tag:yaml.org,2002:null": lambda text: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}


def read_yaml(path: Path) -> tuple[dict[str, Any], Source]:
    """Read a file that holds one YAML mapping.

    Returns:
        Its plain values (str, int, float, bool, None, list, dict) and their lines.

    Raises:
        ScenarioError: it cannot be read, is no YAML, repeats a key, or holds something else than one mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: is not UTF-8 text") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> tuple[dict[str, Any], Source]:
    """Parse the text of a file; see `read_yaml`."""
    node = _composed(text, name)
    if not isinstance(node, yaml.MappingNode):
        what = "is empty" if node is None else "holds no mapping"
        raise ScenarioError(
            f"{name}: {what}: write keys such as `name: my-scenario` (see roadstead simulate --list)"
        )
    reader = _Reader(Source(name))
    document = reader.plain(node, ())
    if reader.faults:
        raise reader.source.error(reader.faults)
    return document, reader.source


def _composed(text: str, name: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Core)
    except yaml.MarkedYAMLError as error:
        raise ScenarioError(_syntax(error, name)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ScenarioError(f"{name}:{line}: is not YAML: {error.reason}") from error
    except RecursionError as error:
        raise ScenarioError(f"{name}: is not a scenario: it is nested too deeply") from error
    return node


def _syntax(error: yaml.MarkedYAMLError, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    told = ", ".join(part for part in (error.context, error.problem) if part)
    hint = "; indent with spaces" if "'\\t'" in told else ""
    return f"{place}: is not YAML: {told}{hint}"


@dataclass
class _Reader:
    """Turns nodes into plain values and keeps their lines."""

    source: Source
    faults: list[Fault] = field(default_factory=list)
    open_nodes: list[yaml.Node] = field(default_factory=list)
    count: int = 0

    def plain(self, node: yaml.Node, path: Where) -> Any:  # noqa: ANN401 - any JSON-like value
        self.source.lines.setdefault(path, node.start_mark.line + 1)
        self.count += 1
        if self.count > LARGEST or any(node is outer for outer in self.open_nodes):
            raise self.source.error([Fault(path, "an alias repeats too much, or holds itself")])
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self.open_nodes.append(node)
        value = self._mapping(node, path) if isinstance(node, yaml.MappingNode) else self._list(node, path)
        self.open_nodes.pop()
        return value

    def _list(self, node: yaml.Node, path: Where) -> list[Any]:
        return [self.plain(child, (*path, index)) for index, child in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, path: Where) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, child in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            line = key_node.start_mark.line + 1
            if key in values:
                earlier = self.source.lines[(*path, key)]
                told = f"'{key}' stands twice; the first is on line {earlier}"
                self.faults.append(Fault((*path, key), told, line))
                continue
            self.source.lines[(*path, key)] = line
            values[key] = self.plain(child, (*path, key))
        return values

    def _scalar(self, node: yaml.ScalarNode, path: Where) -> Any:  # noqa: ANN401 - any JSON-like value
        read = _SCALARS.get(node.tag)
        try:
            if read is not None:
                return read(node.value)
        except ValueError:
            pass
        self.faults.append(Fault(path, f"the tag {node.tag} does not belong in a scenario"))
        return None
