"""The known ports and one's own, by slug."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from roadstead.core.ports import Port, known_ports, named_port


def ports_by_slug(own_ports: Sequence[Port] = ()) -> Mapping[str, Port]:
    """Return the ports that ship and a user's own."""
    return {slug: named_port(slug) for slug in known_ports()} | {port.slug: port for port in own_ports}
