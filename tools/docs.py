"""Remake what the documentation shows: the model's figures, the followed ship and the picture of the report.

Run it with ``make docs``, which runs the demo first. It needs Debian's chromium.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from playwright.sync_api import sync_playwright

from roadstead.core.geo import distance_m
from roadstead.core.settings import Settings
from roadstead.reconcile import CONFLICTS, REASONS
from roadstead.store import Store

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "from-pixel-to-report.md"
PICTURE = ROOT / "docs" / "images" / "report.png"
WORK = ROOT / "build" / "demo"
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


def main() -> None:
    """Rewrite the figures in the README, the ship's table and the picture."""
    rewrite(ROOT / "README.md", "figures", figures(metrics()))
    with Store.open(f"sqlite:///{WORK / 'roadstead.sqlite'}") as store:
        rewrite(PAGE, "ship", ship_table(store, "nampo"))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    photograph(ROOT / "demo" / "report.html", PICTURE)


def rewrite(page: Path, name: str, block: str) -> None:
    """Replace what stands between the markers ``name:begin`` and ``name:end`` of a page."""
    head, marker, rest = page.read_text(encoding="utf-8").partition(f"<!-- {name}:begin")
    first, _, rest = rest.partition("\n")
    _, end, tail = rest.partition(f"<!-- {name}:end -->")
    page.write_text(f"{head}{marker}{first}\n{block}\n{end}{tail}", encoding="utf-8")


def metrics() -> dict[str, Any]:
    """Return the metrics of the shipped model, as ``make evaluate`` wrote them."""
    path = Settings().models_dir / Settings().model_id / "metrics.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def figures(measured: dict[str, Any]) -> str:
    """Return the README's table: each place unseen by its weights, each figure with n and 95 % interval."""
    held, ais = measured["unseen"], measured["s2_ais"]
    places = sorted(measured["places"])
    strict, near, axis, counts = held["strict"], held["near_150m"], held["axis_deg"], held["count_mae"]
    reported = round(strict["recall"] * strict["n_ships"]) + strict["n_false_alarms"]
    rows = [
        ("detection F1, oriented IoU of 0.3 or more", strict["f1"], strict["f1_95"], strict["n_ships"]),
        ("detection F1, centre within 150 m", near["f1"], near["f1_95"], near["n_ships"]),
        (
            "of what it reports, share that are ships (strict)",
            strict["precision"],
            strict["precision_95"],
            reported,
        ),
        (
            "of the ships, share that it finds (strict)",
            strict["recall"],
            strict["recall_95"],
            strict["n_ships"],
        ),
        *(
            (f"class F1, {name.replace('_', ' ')}", row["f1"], row["f1_95"], row["n"])
            for name, row in held["class"]["f1"].items()
        ),
        (
            "axis within 10 degrees, ships over 100 m",
            axis["within_10_deg"],
            axis["within_10_deg_95"],
            axis["n"],
        ),
        ("AIS vessels of 60 m or more that were found", ais["found"], ais["found_95"], ais["n_vessels"]),
    ]
    lines = [f"| {what} | {shown(value)} | {span(interval)} | {n} |" for what, value, interval, n in rows]
    return "\n".join(
        [
            f"Ships of 45 m or more at {len(places)} places ({', '.join(places)}), "
            "each measured with weights that never saw it:",
            "",
            "| figure | value | 95 % interval | n |",
            "|---|---|---|---|",
            *lines,
            "",
            f"Length against AIS: mean absolute error {ais['length_mae_m']} m (n {ais['n_found']}). "
            f"Count error per scene: {counts['dry_cargo']} dry cargo, {counts['all']} all ships (n {held['scenes']}).",
        ]
    )


def shown(value: float | None) -> str:
    """Return a share with two decimals, a dash where there is none."""
    return "-" if value is None else f"{value:.2f}"


def span(interval: list[float] | None) -> str:
    """Return an interval with two decimals, a dash where there is none."""
    return "-" if interval is None else f"{interval[0]:.2f} - {interval[1]:.2f}"


def ship_table(store: Store, port: str) -> str:
    """Return a Markdown table that follows the first match with a conflict, or else the first match."""
    matches = store.matches(port)
    matched = matches[(matches["status"] == "matched") & matches["detection_id"].notna()]
    chosen = matched.assign(plain=matched["conflicts"] == "").sort_values(["plain", "overpass_id"]).iloc[0]
    hull = store.detections(port).set_index("detection_id").loc[chosen["detection_id"]]
    return "\n".join(
        ["| what | value |", "|---|---|", *(f"| {a} | {b} |" for a, b in facts(store, port, chosen, hull))]
    )


def facts(store: Store, port: str, match: Any, hull: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - table rows
    """Return the facts of one matched hull, stage by stage."""
    vessels = store.vessels(port)
    declared = vessels[vessels["mmsi"] == match["mmsi"]].iloc[-1]
    counts = store.counts(port)
    zone = counts[
        (counts["overpass_id"] == match["overpass_id"])
        & (counts["zone"] == hull["zone"])
        & (counts["length_bin"] == "all")
        & (counts["quantity"] == "observed")
    ].set_index("class")
    seen = zone.loc["dry_cargo"]
    real = truth(hull["lon"], hull["lat"], match["overpass_id"])
    return [
        ("scene", f"`{hull['scene_id']}`, acquired {hull['acquired']:%Y-%m-%d %H:%M:%S} UTC"),
        ("acquisition time good to", f"{hull['acquired_sigma_s']:g} s (one standard error)"),
        ("zone", f"`{hull['zone']}`, {seen['visible_fraction']:.0%} visible"),
        ("detection", f"`{hull.name}` at {hull['lon']:.5f} E {hull['lat']:.5f} N"),
        (
            "length",
            f"{hull['length_m']:.0f} m, 80 % interval {hull['length_low_m']:.0f}-{hull['length_high_m']:.0f} m",
        ),
        ("beam, axis", f"{hull['beam_m']:.0f} m, {hull['axis_deg']:.0f} degrees from true north"),
        ("is a vessel", f"{hull['p_vessel']:.0%}"),
        (
            "class",
            ", ".join(
                f"{k.replace('_', ' ')} {hull['p_' + k]:.0%}"
                for k in ("barge", "bulk_carrier", "other_vessel")
            ),
        ),
        (
            "declared over AIS",
            f"{declared['name']}, MMSI {match['mmsi']}, length {declared['length_m']:.0f} m",
        ),
        ("distance to the predicted place", f"{match['distance_m']:.0f} m"),
        ("status", f"{match['status']}, probability {probability(match['probability'])}"),
        ("conflicts", worded(match["conflicts"], CONFLICTS)),
        ("reasons", worded(match["reasons"], REASONS)),
        (
            "its zone's count of dry cargo",
            f"{seen['value']:g}, 90 % interval {seen['low']:g}-{seen['high']:g}",
        ),
        ("what was really there (truth, kept apart)", real),
    ]


def probability(p: float) -> str:
    """Return a probability; never a bare 1."""
    return "over 0.999" if p > 0.999 else f"{p:.3f}"


def worded(codes: str, words: Any) -> str:  # noqa: ANN401 - a mapping of codes
    """Return codes with their sentences."""
    return " ".join(f"`{code}`: {words[code]}" for code in codes.split(",") if code) or "none"


def truth(lon: float, lat: float, overpass_id: str) -> str:
    """Return what the simulator's truth says of the hull nearest to a place on that day."""
    hulls = gpd.read_file(WORK / "world" / "truth" / "hulls.geojson")
    day = overpass_id.rsplit("_", 1)[1][:8]
    same = hulls[hulls["acquired"].astype(str).str.replace("-", "").str.startswith(day)]
    places = np.column_stack([same["lon"], same["lat"]])
    away = distance_m(np.tile([[lon, lat]], (len(places), 1)), places)
    row = same.iloc[int(away.argmin())]
    return f"{row['class'].replace('_', ' ')} of {row['length_m']:.0f} m, {away.min():.0f} m away"


def photograph(page: Path, picture: Path) -> None:
    """Take a picture of the first screen of a page in headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        view = browser.new_page(viewport={"width": 1280, "height": 1500})
        view.goto(page.as_uri())
        view.wait_for_timeout(3000)
        view.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
