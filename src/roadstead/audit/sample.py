"""The random part of a draw: how many cells of each stratum, in which order, and which go to a second reviewer.

Strata are port, kind of zone, and whether the model found any hull in the cell. Half of the cells go to those with
hulls, where recall is learnt of, and half to those without, where ships that were missed altogether lie. Within both
the numbers follow the sizes of the strata, and each has two where it can, so that its variance can be told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from roadstead.audit.frame import Candidate

SECOND_SHARE: Final = 0.2
"""Of the cells that a second reviewer looks at too; one at least."""
_FIRST: Final = 2
Stratum = tuple[str, bool]


def allocation(sizes: Mapping[Stratum, int], wanted: int) -> dict[Stratum, int]:
    """Return how many cells of each stratum (kind, found) to draw; all of them where fewer are there than wanted."""
    total = {found: sum(n for (_, f), n in sizes.items() if f is found) for found in (True, False)}
    share = {key: n / total[key[1]] for key, n in sizes.items() if n}
    given = dict.fromkeys(sorted(share), 0)
    for _ in range(min(wanted, sum(sizes.values()))):
        free = [key for key in given if given[key] < sizes[key]]
        # First one, then two of each stratum, the largest first; then whoever is furthest behind its share.
        given[min(free, key=lambda k: (min(given[k], _FIRST), -share[k] / (given[k] + 1), k))] += 1
    return given


def order(cells: Sequence[Candidate], seed: int, port: str, stratum: Stratum) -> list[Candidate]:
    """Return the cells of a stratum in the random order in which they are taken."""
    ranked = sorted(cells, key=lambda cell: cell.place)
    return [ranked[i] for i in _rng(seed, port, *map(str, stratum)).permutation(len(ranked))]


def shuffled(count: int, seed: int, *what: str) -> list[int]:
    """Return 0 .. count - 1 in random order."""
    return [int(i) for i in _rng(seed, *what).permutation(count)]


def seconds(count: int, seed: int, port: str) -> frozenset[int]:
    """Return which of so many cells, by number, go to a second reviewer: `SECOND_SHARE`, at least one."""
    number = max(1, round(SECOND_SHARE * count)) if count else 0
    return frozenset(shuffled(count, seed, port, "second reviewer")[:number])


def _rng(seed: int, *what: str) -> np.random.Generator:
    text = "\n".join((str(seed), *what))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))
