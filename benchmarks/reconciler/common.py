"""What the reconciler's benchmarks share: pairs by distance, shares with intervals, tables, the document's markers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest, chi2

Array = NDArray[np.float64]

DOC = Path(__file__).parents[2] / "docs" / "reconciler.md"
IMAGES = DOC.parent / "images"


def exact_interval(k: int, n: int) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) 95 % interval of ``k`` of ``n``, at least one."""
    low, high = binomtest(k, n).proportion_ci(method="exact")
    return float(low), float(high)


def nearest(away: Array, gate: float, greedy: bool = False) -> list[tuple[int, int]]:
    """Return (row, column) pairs nearer than a gate, one to one: by the least sum of distances, or nearest first.

    Args:
        away: distances [n, m].
        gate: in the same unit.
        greedy: nearest first.
    """
    if not greedy:
        rows, columns = linear_sum_assignment(np.minimum(away, gate))
        return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if away[i, j] < gate]
    left, pairs = away.copy(), []
    while left.size and left.min() < gate:
        i, j = np.unravel_index(np.argmin(left), left.shape)
        pairs.append((int(i), int(j)))
        left[i], left[:, j] = np.inf, np.inf
    return pairs


def share(k: int, n: int, digits: int = 1) -> str:
    """Return a share as text with n and its exact 95 % interval."""
    if n == 0:
        return "- (n = 0)"
    low, high = exact_interval(k, n)
    return f"{k}/{n} = {100 * k / n:.{digits}f} % [{100 * low:.{digits}f}-{100 * high:.{digits}f}]"


def rate(k: int, units: int) -> str:
    """Return a mean number a unit as text, with the exact 95 % interval of a Poisson mean."""
    low = 0.0 if k == 0 else float(chi2.ppf(0.025, 2 * k)) / 2
    high = float(chi2.ppf(0.975, 2 * (k + 1))) / 2
    return f"{k / units:.1f} [{low / units:.1f}-{high / units:.1f}]"


def bootstrapped(values: Array, digits: int = 2, unit: str = " %") -> str:
    """Return a mean with the 95 % interval of a bootstrap over its values."""
    rng = np.random.default_rng(0)
    means = np.array([values[rng.integers(0, len(values), len(values))].mean() for _ in range(2_000)])
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():.{digits}f}{unit} [{low:.{digits}f}-{high:.{digits}f}]"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def put(name: str, text: str, doc: Path = DOC) -> None:
    """Write a benchmark's text between its markers in the document.

    Raises:
        ValueError: the document has no such markers.
    """
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    document = doc.read_text(encoding="utf-8")
    head, found, rest = document.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{doc}: no markers {begin} ... {end}")
    doc.write_text(f"{head}{begin}\n{text.strip()}\n{end}{tail}", encoding="utf-8")
