"""Scenarios as YAML files: the built-in ones and one's own, read with errors that name file, line and field."""

from __future__ import annotations

import difflib
import json
import re
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import shapely.geometry
import yaml
from pydantic import TypeAdapter, ValidationError

from roadstead.core.errors import PortError, ScenarioError
from roadstead.core.ports import Port, Zone, load_port
from roadstead_lab.simulate.scenario.checks import faults_of
from roadstead_lab.simulate.scenario.lines import Fault, Source, Where, read_yaml
from roadstead_lab.simulate.scenario.model import PortScenario, Scenario

__all__ = [
    "LoadedScenario",
    "ScenarioError",
    "builtin_scenarios",
    "copies",
    "load_scenario",
    "scenario_schema",
    "scenario_yaml",
    "validated",
]

_FOLDER = Path(str(resources.files("roadstead_lab.simulate.scenario") / "builtin"))
SCHEMA_FILE: Final = _FOLDER / "scenario.schema.json"
"""Shipped beside the built-in scenarios, for editors; a test holds it against `scenario_schema`."""
_ADAPTER: Final = TypeAdapter(Scenario)


@dataclass(frozen=True)
class LoadedScenario:
    """A scenario with the ports it names."""

    scenario: Scenario
    ports: tuple[Port, ...]
    """The port of each ``scenario.ports``, in the same order."""
    source: Source | None = None
    """None where the scenario was made in Python."""

    def error(self, path: Where, text: str) -> ScenarioError:
        """Return the error of a fault that shows only when the world is built."""
        source = self.source or Source(f"scenario '{self.scenario.name}'")
        return source.error([Fault(path, text)])


def builtin_scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios that ship with Roadstead."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def load_scenario(name_or_path: str | Path) -> LoadedScenario:
    """Read a built-in scenario by its name, or one's own by its path.

    Raises:
        ScenarioError: unknown name, or a file that cannot be used; names the file, the lines and the fields.
    """
    path = _path_of(name_or_path)
    document, source = read_yaml(path)
    scenario = validated(document, source)
    ports = _ports_of(scenario, path.parent, source)
    faults = faults_of(scenario, ports)
    if faults:
        raise source.error(faults)
    return LoadedScenario(scenario, ports, source)


def _path_of(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if isinstance(name_or_path, Path) or len(path.parts) > 1 or path.suffix or path.exists():
        return path
    known = builtin_scenarios()
    if str(name_or_path) in known:
        return _FOLDER / f"{name_or_path}.yaml"
    raise ScenarioError(
        f"unknown scenario '{name_or_path}'{_did_you_mean(str(name_or_path), known)}. "
        f"Built in: {', '.join(known)}. For one of your own give the path of its YAML file"
    )


def validated(document: dict[str, Any], source: Source) -> Scenario:
    """Return the scenario of a document whose values are of the right type and within their limits.

    Raises:
        ScenarioError: they are not, or there are keys that no scenario has.
    """
    # JSON mode reads dates and times from text, and strict takes no number for either.
    text = json.dumps(document)
    try:
        return _ADAPTER.validate_json(text, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise source.error(_faults(found)) from error


def _faults(found: Sequence[Any]) -> list[Fault]:
    """Return a fault for each of pydantic's that is not the mere echo of one further in."""
    places = [tuple(part for part in fault["loc"] if part != "[key]") for fault in found]
    inner = [
        (place, fault)
        for place, fault in zip(places, found, strict=True)
        if not any(len(other) > len(place) and other[: len(place)] == place for other in places)
    ]
    return [Fault(place, _told(place, fault)) for place, fault in inner]


def _told(place: Where, fault: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    kind, given = fault["type"], fault["input"]
    if kind == "unexpected_keyword_argument":
        return f"unknown key{_did_you_mean(str(place[-1]), keys_at(place[:-1]))}"
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        expected = fault["ctx"]["expected"]
        return f"{given!r} is none of {expected}{_did_you_mean(str(given), expected.split(chr(39))[1::2])}"
    if kind.startswith("date_"):
        return f"{given!r} is no date: write e.g. 2020-11-01"
    if kind.startswith("time_"):
        return f"{given!r} is no time of day: write e.g. 02:28:31"
    said = re.sub(r"^\w+ should", "should", fault["msg"])
    said = said.replace("an object", "a mapping of keys").replace("a valid array", "a list")
    return f"{reprlib.repr(given)} {said}"


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def keys_at(path: Where) -> tuple[str, ...]:
    """Return the keys that a scenario may have at a place."""
    schema = scenario_schema()
    node: dict[str, Any] = schema
    for part in path:
        node = _resolved(node, schema)
        node = node["items"] if isinstance(part, int) else node["properties"][part]
    return tuple(_resolved(node, schema)["properties"])


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return found


@cache
def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://roadstead.invalid/scenario.schema.json",
        **_ADAPTER.json_schema(),
        "title": "Roadstead scenario: a world to simulate",
    }


def _ports_of(scenario: Scenario, folder: Path, source: Source) -> tuple[Port, ...]:
    ports, faults = [], []
    for index, part in enumerate(scenario.ports):
        try:
            ports.append(_port_of(part, folder))
        except PortError as error:
            key = "port" if part.aoi is None else "aoi"
            faults.append(Fault(("ports", index, key), str(error)))
    if faults:
        raise source.error(faults)
    return tuple(ports)


def _port_of(part: PortScenario, folder: Path) -> Port:
    if part.aoi is None:
        return load_port(part.port)
    port = load_port(folder / part.aoi)
    if port.slug != part.port:
        raise PortError(f"{folder / part.aoi} holds port '{port.slug}', not '{part.port}'")
    return port


def scenario_yaml(scenario: Scenario) -> str:
    """Return a scenario as YAML that `load_scenario` reads back; what is default is left out."""
    plain = _ADAPTER.dump_python(scenario, mode="json", exclude_defaults=True)
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    return text


def copies(loaded: LoadedScenario, mode: Literal["images", "detections"]) -> dict[str, str]:
    """Return the files (name -> text) that make the same world again: ``scenario.yaml`` and ports of one's own."""
    parts = [replace(p, aoi=f"{p.port}.geojson") if p.aoi else p for p in loaded.scenario.ports]
    files = {"scenario.yaml": scenario_yaml(replace(loaded.scenario, ports=tuple(parts), mode=mode))}
    own = zip(parts, loaded.ports, strict=True)
    return files | {part.aoi: _port_geojson(port) for part, port in own if part.aoi}


def _port_geojson(port: Port) -> str:
    features = [
        {
            "type": "Feature",
            "properties": _properties(port, zone),
            "geometry": shapely.geometry.mapping(zone.polygon),
        }
        for zone in port.zones
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=1) + "\n"


def _properties(port: Port, zone: Zone) -> dict[str, str]:
    told = {"name": zone.name, "source": zone.source, "confidence": zone.confidence, "note": zone.note}
    given = {key: str(value) for key, value in told.items() if value is not None}
    return {"port": port.slug, "zone": zone.id, "kind": zone.kind, **given}
