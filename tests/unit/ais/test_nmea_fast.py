"""Position reports that are decoded many at once are those that pyais decodes one by one."""

import random
from typing import Any

import pytest
from pyais import decode

from roadstead.ais.readers.message_kinds import SENTENCE, checksum, decoded
from tests.unit.ais.messages import nmea


def test_position_reports_decoded_at_once_are_those_of_pyais() -> None:
    chance = random.Random(3)
    lines = []
    for n in range(400):
        kind = chance.choice([1, 2, 3, 18])
        said = {
            "lon": chance.choice([181.0, chance.uniform(-180, 180)]),
            "lat": chance.choice([91.0, chance.uniform(-90, 90)]),
            "speed": chance.choice([102.3, round(chance.uniform(0, 102.2), 1)]),
            "course": chance.choice([360.0, round(chance.uniform(0, 359.9), 1)]),
            "heading": chance.choice([511, chance.randrange(360)]),
        }
        status = {} if kind == 18 else {"status": chance.randrange(16)}
        lines += nmea(n, type=kind, mmsi=chance.randrange(1, 10**9), **said, **status)
    quick = [SENTENCE.fullmatch(line.encode()) for line in lines]
    assert all(quick)
    table = decoded([found[3] for found in quick if found])
    for found, (_, ours) in zip(quick, table.iterrows(), strict=True):
        assert found is not None
        theirs: Any = decode(found[2])
        assert checksum(found[2]) == int(found[4], 16)
        assert ours["mmsi"] == int(theirs.mmsi)
        assert (ours["lon"], ours["lat"]) == pytest.approx((theirs.lon, theirs.lat), abs=1e-9)
        assert (ours["sog_kn"], ours["cog_deg"], ours["heading_deg"]) == (
            theirs.speed,
            theirs.course,
            theirs.heading,
        )
        assert ours["nav_status"] == (int(theirs.status) if hasattr(theirs, "status") else None)
        assert ours["ais_class"] == ("B" if theirs.msg_type == 18 else "A")
