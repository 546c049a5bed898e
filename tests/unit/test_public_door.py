"""What `import roadstead` promises: these names, these signatures, and nothing loaded before it is used."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import roadstead

FUNCTIONS = {
    "chart": "(store: Store, port: Port, start: Time, end: Time) -> str",
    "count": "(detections: Detections, matches: gpd.GeoDataFrame, port: Port, ais: AisData | None = None) "
    "-> pd.DataFrame",
    "coverage": "(ais: AisData, port: Port, start: Time | None = None, end: Time | None = None, *, stores: Paths = ()) "
    "-> Coverage",
    "detect": "(scenes: Paths | Overpass | Sequence[Overpass], port: Port | None = None, *, "
    "acquired: Time | None = None, bands: Mapping[str, int] | None = None, crs: str | None = None, "
    "model: str | Path | None = None, unfiltered: bool = False) -> Detections",
    "dossier": "(store: Store, findings: str | Sequence[str], path: str | Path, *, withhold_ais: Sequence[str] = (), "
    "imagery: bool = True) -> list[Path]",
    "load_port": "(name_or_path: str | Path, aoi_dir: Path | None = None) -> Port",
    "read_ais": "(paths: Paths, *, port: Port | None = None, start: Time | None = None, end: Time | None = None, "
    "mapping: str | Path | None = None) -> AisData",
    "reconcile_ais": "(detections: Detections, ais: AisData | None, port: Port | None = None, *, "
    "reception: str | Path | None = None) -> gpd.GeoDataFrame",
    "search": "(port: Port, start: Time, end: Time, *, catalog: str | None = None) -> Plan",
    "watch": "(port: Port, start: Time, end: Time, *, catalog: str | None = None, ais: Paths = (), "
    "mapping: str | Path | None = None, reception: str | Path | None = None, store: str | None = None, "
    "model: str | Path | None = None) -> Watched",
}
TYPES = {"AisData", "Detections", "Overpass", "Port", "RoadsteadError", "Store"}
HEAVY = {"geopandas", "numpy", "openvino", "pandas", "pyarrow", "rasterio", "scipy", "shapely", "sqlalchemy"}


def signature(name: str) -> str:
    return str(inspect.signature(getattr(roadstead, name))).replace("'", "")


def test_the_public_names_are_these() -> None:
    assert set(roadstead.__all__) == {*FUNCTIONS, *TYPES, "__version__"}
    assert set(roadstead.__all__) <= set(dir(roadstead))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_keeps_its_signature(name: str) -> None:
    assert signature(name) == FUNCTIONS[name]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_public_function_says_what_it_takes_gives_and_raises(name: str) -> None:
    function = getattr(roadstead, name)
    text = inspect.getdoc(function) or ""
    assert "Raises:" in text
    for parameter in inspect.signature(function).parameters:
        assert f"\n    {parameter}: " in text, parameter


def test_every_public_type_has_a_docstring() -> None:
    for name in TYPES:
        assert inspect.getdoc(getattr(roadstead, name)), name


def test_type_checkers_see_the_same_names() -> None:
    (block,) = [
        node
        for node in ast.parse(Path(roadstead.__file__).read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    told = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert told == {*FUNCTIONS, *TYPES}


def test_no_public_name_is_that_of_a_package() -> None:
    """A package that is imported takes its name in ours: a function of that name would be there only until then."""
    assert not set(roadstead.__all__) & {module.name for module in pkgutil.iter_modules(roadstead.__path__)}


def test_importing_roadstead_loads_nothing_heavy() -> None:
    code = "import sys, roadstead; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "roadstead" in done.stdout.split()
    assert not HEAVY & set(done.stdout.split())


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nowhere'"):
        roadstead.nowhere  # noqa: B018


def test_the_package_says_that_it_is_typed() -> None:
    assert (resources.files("roadstead") / "py.typed").is_file()
