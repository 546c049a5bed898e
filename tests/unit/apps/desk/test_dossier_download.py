"""The dossier from the desk: the bytes that the command writes, for analysts alone."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from roadstead.store import Store
from roadstead.workflows.dossier import dossier_zip, make_dossier
from tests.unit.apps.desk import builders as r


def browser(store: Store, name: str | None) -> r.Browser:
    opened = r.Browser(r.desk(store, dossier=partial(dossier_zip, store)))
    assert name is None or opened.log_in(name).status_code == 303
    return opened


def test_the_dossier_is_that_of_the_command_and_holds_what_was_decided(store: Store, tmp_path: Path) -> None:
    ana = browser(store, "ana")
    assert 'href="/dossier/nampo/d0.zip" download' in ana.get("/finding/nampo/d0").text
    ana.decide("d0", kind="accepted", note="seen")
    given = ana.get("/dossier/nampo/d0.zip")
    assert given.status_code == 200
    assert given.headers["content-disposition"] == 'attachment; filename="roadstead-d0.zip"'
    (made,) = make_dossier(store, ["d0"], tmp_path / "one.zip")
    assert given.content == made.read_bytes()


def test_it_is_for_analysts_and_for_findings_with_a_hull(store: Store) -> None:
    assert browser(store, None).get("/dossier/nampo/d0.zip").status_code == 303
    vic = browser(store, "vic")
    assert vic.get("/dossier/nampo/d0.zip").status_code == 403
    assert "/dossier/" not in vic.get("/finding/nampo/d0").text
    ana = browser(store, "ana")
    for path in ("nampo/none.zip", "other/d0.zip", "nampo/..%2Fd0.zip"):
        assert ana.get(f"/dossier/{path}").status_code == 404
