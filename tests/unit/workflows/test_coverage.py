"""Before any run: in which hours could silence mean something, and why not in the others."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image
from shapely.geometry import MultiPolygon, box
from typer.testing import CliRunner

from roadstead.ais import AisData, Source, import_files
from roadstead.apps.cli.main import app
from roadstead.core.errors import AisError, UsageError
from roadstead.core.ports import Port, Zone
from roadstead.workflows.coverage import WHY, Coverage, cells, coverage, span_of, thinning_of, write_plot
from tests.unit.ais.messages import report, reports, write

START = datetime(2020, 11, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
PORT = Port("mine", (Zone("mine/roads", "anchorage", MultiPolygon([box(125.1, 38.6, 125.2, 38.7)])),))


def fleet(ships: int = 12, every_min: float = 10.0, hours: float = 12.0, **said: Any) -> pd.DataFrame:
    """Return reports of ships around the roads, from six hours before to six hours after `START`."""
    rows = [
        report(
            f"4451110{n:02d}",
            (START + timedelta(minutes=m * every_min) - 6 * HOUR).timestamp() - 1_604_370_000,
            lon=125.1 + n * 0.01,
            **{"sog_kn": 3.0, **said},
        )
        for n in range(ships)
        for m in range(int(hours * 60 / every_min))
    ]
    return reports(rows).assign(segment=0)


def asked(positions: pd.DataFrame, **kept: Any) -> Coverage:
    data = AisData(positions=positions, snapshot_times=kept.pop("snapshots", frozenset()))
    return coverage(data, PORT, START, START + HOUR, **kept)


def why(found: Coverage, ais_class: str = "A") -> str | None:
    (row,) = found.hours[found.hours["ais_class"] == ais_class].to_dict("records")
    return None if pd.isna(row["reason"]) else str(row["reason"])


def test_an_hour_with_many_neighbours_heard_supports_a_statement_for_their_class_alone() -> None:
    found = asked(fleet())
    assert why(found, "A") is None
    assert why(found, "B") == "no_neighbours"
    told = found.summary()
    assert (told["class_a"]["supported"], told["class_a"]["zone_hours"], told["class_a"]["share"]) == (
        1,
        1,
        1.0,
    )
    assert told["class_b"]["reasons"] == {"no_neighbours": 1}


def test_class_b_is_supported_by_class_b() -> None:
    assert why(asked(fleet(ais_class="B")), "B") is None


@pytest.mark.parametrize(
    ("positions", "kept", "reason"),
    [
        (fleet(1).iloc[:0], {}, "no_ais"),
        (fleet(3), {}, "no_neighbours"),
        (fleet(every_min=110.0), {}, "thinned"),
        (fleet(6), {"thinning_s": 3600.0}, "thinned"),
        (fleet(6, sog_kn=0.1), {}, "only_moored"),
        (fleet(6), {}, "few_heard"),
    ],
    ids=["none", "few ships", "measured", "told", "moored", "six heard of six"],
)
def test_an_hour_that_supports_nothing_says_why(
    positions: pd.DataFrame, kept: dict[str, Any], reason: str
) -> None:
    assert why(asked(positions, **kept)) == reason
    assert reason in WHY


def test_a_snapshot_says_nothing_of_silence() -> None:
    moment = pd.Timestamp(START + HOUR / 2)
    one = fleet().drop_duplicates("mmsi").assign(time=moment)
    assert why(asked(one, snapshots=frozenset({moment.to_pydatetime()}))) == "snapshot"


def test_without_dates_the_hours_are_those_of_the_ais() -> None:
    first, last = span_of(AisData(positions=fleet()))
    assert (first, last) == (START - 6 * HOUR, START + 6 * HOUR)
    with pytest.raises(AisError, match="holds no report near the port"):
        span_of(AisData())


def test_a_plot_has_a_square_an_hour_and_says_simulated(tmp_path: Path) -> None:
    found = coverage(AisData(positions=fleet(source="SIM-A")), PORT, START, START + 3 * HOUR)
    assert found.simulated
    assert len(cells(found, "A")) == 3
    write_plot(found, tmp_path / "a.html")
    assert "SIMULATED" in (tmp_path / "a.html").read_text()
    write_plot(found, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert (27, 120, 55) in {colour for _, colour in image.getcolors(1 << 16) or []}
    with pytest.raises(UsageError, match=r"\.html or \.png"):
        write_plot(found, tmp_path / "a.svg")


def test_the_command_reads_a_store_with_its_thinning(tmp_path: Path) -> None:
    table = fleet(6).drop(columns="segment").assign(time=lambda t: t["time"].map(lambda v: v.isoformat()))
    path = write(tmp_path / "a.csv", table.to_csv(index=False).splitlines())
    import_files([path], tmp_path / "ais", source=Source("mast", thinning_s=7200.0))
    assert thinning_of([str(tmp_path / "ais")]) == 7200.0
    day = ["--from", "2020-11-03T02:00", "--to", "2020-11-03T03:00"]
    call = ["ais", "coverage", "nampo", *day, "--ais", str(tmp_path / "ais"), "--json"]
    done = CliRunner().invoke(app, call, catch_exceptions=False)
    told = json.loads(done.stdout)
    assert told["class_a"]["supported"] == 0
    assert set(told["class_a"]["reasons"]) == {"thinned"}
    table_call = ["ais", "coverage", "nampo", "--ais", str(tmp_path / "ais")]
    assert "zone-hours" in CliRunner().invoke(app, table_call, catch_exceptions=False).stdout


def test_one_end_of_a_range_alone_is_refused() -> None:
    for given in (["--from", "2020-11-03"], ["--to", "2020-11-03"]):
        done = CliRunner().invoke(app, ["ais", "coverage", "nampo", *given])
        assert isinstance(done.exception, UsageError) and "both --from and --to" in str(done.exception)
