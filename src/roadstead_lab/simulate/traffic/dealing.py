"""Dealing out shares exactly: of ten ships with a share of 0.3, three, whichever the seed picks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

Card = TypeVar("Card")


def dealt(shares: Mapping[Card, float], count: int, rng: np.random.Generator) -> list[Card]:
    """Return ``count`` cards in shares as near to those asked for as whole numbers allow, shuffled.

    Numbers follow the method of largest remainders (Hare quota); among equal remainders the first named wins.

    Args:
        shares: Card -> share, not negative, of a positive sum; scaled to a sum of 1.
        count: How many cards.
        rng: Shuffles them.
    """
    quotas = np.array(list(shares.values()), float) * count / sum(shares.values())
    numbers = np.floor(quotas + 1e-9).astype(int)
    left = count - int(numbers.sum())
    numbers[np.argsort(-(quotas - numbers).round(9), kind="stable")[:left]] += 1
    cards = [card for card, number in zip(shares, numbers, strict=True) for _ in range(number)]
    return [cards[i] for i in rng.permutation(count)]
