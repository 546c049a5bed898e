"""Images and documents attached to findings: kept by hash, told in the chain, and harmless."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import subprocess
import sys
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx2 import Response
from PIL import ExifTags, Image
from sqlalchemy import text
from typer.testing import CliRunner

from roadstead.apps.cli.main import app
from roadstead.apps.desk.login.security import MOST_BODY, MOST_UPLOAD
from roadstead.apps.desk.pages import attach as uploads
from roadstead.apps.desk.pages.attach import read_upload, safe_name
from roadstead.core.errors import UsageError
from roadstead.core.turnstile import Turnstile
from roadstead.store import Attachments, Decisions, Store, canonical
from roadstead.store.chain import digest
from roadstead.workflows.dossier import Asked, find_findings, make_dossier
from tests.unit.apps.desk import builders as r

LICENCE = "CC BY 4.0"


def image(kind: str = "PNG", size: tuple[int, int] = (80, 60), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 90 if mode in ("L", "F") else (200, 80, 20)).save(buffer, kind)
    return buffer.getvalue()


def attach(
    browser: r.Browser,
    name: str = "photo.png",
    content: bytes | None = None,
    finding: str = "d0",
    **fields: str,
) -> Response:
    page = browser.get(f"/finding/nampo/{finding}").text
    csrf = dict(r.fields_of(page, "csrf")).get("csrf", "")
    data = {"csrf": csrf, "licence": LICENCE, "source": "a pilot", **fields}
    return browser.client.post(
        f"/finding/nampo/{finding}/attach",
        data=data,
        files={"file": (name, image() if content is None else content, "image/svg+xml")},
        headers={"origin": r.ORIGIN},
    )


def test_an_image_is_kept_by_its_hash_and_told_in_the_chain_and_on_the_page(ana: r.Browser) -> None:
    content = image()
    answer = attach(ana, content=content, note="from the pier", may_share="yes")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/finding/nampo/d0#files"
    (row,) = ana.desk.decisions.newest(9)
    assert (row.kind, row.user_name, row.note) == ("attached", "ana", "from the pier")
    assert row.decided == r.NOW
    said = row.file
    assert said["sha256"] == hashlib.sha256(content).hexdigest()
    assert (said["licence"], said["source"], said["bytes"]) == (LICENCE, "a pilot", len(content))
    assert Decisions(ana.desk.store).verify().faults == ()
    page = ana.get("/finding/nampo/d0").text
    assert said["sha256"] in page
    assert "Undecided." in page, "a file decides nothing"
    assert 'src="/file/1/shown.webp"' in page
    shown = ana.get("/file/1/shown.webp")
    assert shown.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(shown.content)).format == "WEBP"
    back = ana.get("/file/1")
    assert back.content == content
    assert back.headers["content-disposition"] == "attachment; filename*=UTF-8''photo.png"
    assert back.headers["x-content-type-options"] == "nosniff"
    assert "photo.png" in ana.get("/log").text


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.pdf", b"%PDF-1.7 x", "application/pdf"),
        ("a.txt", "Hafen Ō".encode(), "text/plain; charset=utf-8"),
        ("a.geojson", b'{"type": "Point", "coordinates": [1, 2]}', "application/geo+json"),
    ],
)
def test_documents_are_for_saving_and_never_shown_in_place(
    ana: r.Browser, name: str, content: bytes, media_type: str
) -> None:
    assert attach(ana, name, content).status_code == 303
    answer = ana.get("/file/1")
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert ana.get("/file/1/shown.webp").status_code == 404
    assert "shown.webp" not in ana.get("/finding/nampo/d0").text


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_images_of_every_kind_are_made_anew(kind: str) -> None:
    media_type, shown = read_upload(f"x.{kind.lower()}", image(kind))
    assert media_type == f"image/{kind.lower()}"
    with Image.open(io.BytesIO(shown or b"")) as opened:
        assert (opened.format, opened.size) == ("WEBP", (80, 60))


def test_deep_images_are_stretched_and_large_ones_made_smaller() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.linspace(0, 4000, 100 * 100).reshape(100, 100).astype(np.uint16)).save(buffer, "TIFF")
    _, shown = read_upload("x.tif", buffer.getvalue())
    grey = np.asarray(Image.open(io.BytesIO(shown or b"")).convert("L"))
    assert grey.min() < 20
    assert grey.max() > 235
    _, shown = read_upload("x.jpg", image("JPEG", (3000, 100)))
    assert Image.open(io.BytesIO(shown or b"")).size == (1600, 53)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "I;16", "CMYK", "LA"])
def test_images_of_every_depth_are_shown_upright(kind: str, mode: str) -> None:
    turned, buffer = Image.Exif(), io.BytesIO()
    turned[ExifTags.Base.Orientation] = 6
    try:
        Image.new(mode, (80, 60)).save(buffer, kind, exif=turned)
    except (OSError, ValueError):
        return  # no such file can be: Pillow writes none
    _, shown = read_upload(f"x.{kind.lower()}", buffer.getvalue())
    assert Image.open(io.BytesIO(shown or b"")).size == (60, 80)


FOUR_AT_ONCE = """
import io, resource, sys
from concurrent.futures import ThreadPoolExecutor
from PIL import ExifTags, Image
from roadstead.apps.desk.pages.attach import read_upload
content = io.BytesIO()
Image.new("RGB", (5000, 5000), (20, 40, 60)).save(content, "PNG", compress_level=1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ThreadPoolExecutor(4) as many:
    done = list(many.map(lambda _: read_upload("x.png", content.getvalue())[0], range(4)))
assert done == ["image/png"] * 4
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_large_images_at_once_take_no_more_than_one() -> None:
    """Six of 40 million pixels took 4.8 GB."""
    run = subprocess.run([sys.executable, "-c", FOUR_AT_ONCE], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 150_000, "kilobytes beyond the 100 MB of the picture itself"


def test_who_comes_while_six_images_are_read_is_told_to_come_again(
    ana: r.Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_ONE", Turnstile("images are read", at_once=0, waiting=0))
    answer = attach(ana)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Too many images are read at once" in answer.text
    assert ana.desk.decisions.newest(9) == ()


def test_what_stands_in_an_image_beside_its_pixels_is_not_shown() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(
        buffer, "JPEG", comment=b"<script>alert(1)</script>", exif=b"Exif\0\0secret place"
    )
    _, shown = read_upload("x.jpg", buffer.getvalue())
    assert b"script" not in (shown or b"")
    assert b"secret" not in (shown or b"")


def bomb() -> bytes:
    """Return a small PNG that says it is 60,000 pixels square."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 10_000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.html", b"<script>alert(1)</script>", "not taken"),
        ("x.svg", b"<svg onload='alert(1)'/>", "not taken"),
        ("x.exe", b"MZ", "not taken"),
        ("noending", b"x", "not taken"),
        ("x.png", b"<svg onload='alert(1)'/>", "cannot be read as one"),
        ("x.png", image("JPEG"), "cannot be read as one"),
        ("x.png", image()[:60], "cannot be read as one"),
        ("x.png", bomb(), "cannot be read as one|million at most"),
        ("x.pdf", b"<html>", "none of that kind"),
        ("x.txt", b"\xff\xfe\0", "none of that kind"),
        ("x.txt", b"nul\0", "none of that kind"),
        ("x.geojson", b'{"type": "Nonsense"}', "none of that kind"),
        ("x.geojson", b"[" * 100_000, "none of that kind"),
        ("x.png", b"", "cannot be read as one"),
    ],
)
def test_what_is_not_what_it_says_is_refused(name: str, content: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_upload(name, content)


def test_an_image_of_very_many_pixels_is_refused_unread() -> None:
    with pytest.raises(UsageError, match="million at most"):
        read_upload("x.png", image(size=(9000, 6000), mode="L"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\windows\\x.png", "x.png"),
        ("/a/b/c.pdf", "c.pdf"),
        ("<img src=x onerror=alert(1)>.png", "_img src_x onerror_alert(1)_.png"),
        ("a\r\nSet-Cookie: x.png", "aSet-Cookie_ x.png"),
        ('"; filename=evil.html .png', "__ filename_evil.html .png"),
        ("...", "file"),
        ("", "file"),
        ("‮gnp.exe.png", "gnp.exe.png"),
        ("x" * 300 + ".png", "x" * 96 + ".png"),
    ],
)
def test_names_are_plain(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_names_licences_and_notes_are_text(ana: r.Browser) -> None:
    evil = "<script>alert(1)</script>"
    assert attach(ana, f"{evil}.png", licence=evil, source=evil, note=evil).status_code == 303
    for path in ("/finding/nampo/d0", "/log"):
        assert "<script>alert" not in ana.get(path).text
    assert "\n" not in ana.get("/file/1").headers["content-disposition"]


def test_a_file_without_a_licence_is_refused(ana: r.Browser) -> None:
    answer = attach(ana, licence="  ")
    assert answer.status_code == 400
    assert "licence" in answer.text
    assert ana.desk.decisions.newest(1) == ()
    assert attach(ana, licence="x" * 201).status_code == 400


def test_no_file_no_finding_no_token_no_role_nothing_is_kept(ana: r.Browser) -> None:
    page = ana.get("/finding/nampo/d0").text
    csrf = dict(r.fields_of(page, "csrf"))["csrf"]
    post = ana.client.post
    own = {"origin": r.ORIGIN}
    path = "/finding/nampo/d0/attach"
    assert (
        post(
            path, data={"csrf": csrf, "licence": "x"}, files={"other": ("a.png", b"x")}, headers=own
        ).status_code
        == 400
    )
    assert post(path, data={"csrf": csrf}, headers=own).status_code == 415
    given: Any = {"file": ("a.png", image())}
    assert post(path, data={"csrf": "no", "licence": "x"}, files=given, headers=own).status_code == 403
    elsewhere = {"origin": "http://evil.example"}
    assert post(path, data={"csrf": csrf, "licence": "x"}, files=given, headers=elsewhere).status_code == 403
    gone = post(
        "/finding/nampo/nowhere/attach", data={"csrf": csrf, "licence": "x"}, files=given, headers=own
    )
    assert gone.status_code == 404
    two = [("file", ("a.png", image())), ("file", ("b.png", image()))]
    assert post(path, data={"csrf": csrf, "licence": "x"}, files=two, headers=own).status_code == 400
    vic = r.Browser(ana.desk, app=ana.app)
    vic.log_in("vic")
    assert attach(vic).status_code == 403
    assert "Attach a file" not in vic.get("/finding/nampo/d0").text
    nobody = r.Browser(ana.desk, app=ana.app)
    assert nobody.client.post(path, data={"licence": "x"}, files=given).status_code == 303
    assert nobody.get("/file/1").status_code == 303
    assert ana.desk.decisions.newest(1) == ()


def test_large_bodies_are_taken_on_this_path_alone(ana: r.Browser) -> None:
    large = b"x" * (MOST_BODY + 1)
    assert attach(ana, "a.txt", large).status_code == 303
    for path in ("/finding/nampo/d0/decide", "/finding/nampo/d0/attach/x", "/undo", "/login"):
        assert ana.client.post(path, content=large, headers={"origin": r.ORIGIN}).status_code == 413
    refused = attach(ana, "a.txt", b"x" * (MOST_UPLOAD + 1))
    assert refused.status_code == 413
    just_over = attach(ana, "a.txt", b"x" * (10 * 1024 * 1024 + 1))
    assert just_over.status_code == 413
    assert len(ana.desk.decisions.newest(9)) == 1


def test_the_same_file_twice_is_kept_once_and_told_twice(ana: r.Browser, store: Store) -> None:
    attach(ana)
    attach(ana, finding="d3")
    assert len(ana.desk.decisions.newest(9)) == 2
    with store.transaction(writes=False) as connection:
        assert connection.scalar(text("SELECT count(*) FROM attached_files")) == 1


def test_a_file_that_was_changed_is_found(ana: r.Browser, store: Store, tmp_path: Path) -> None:
    attach(ana)
    assert Attachments(store).faults() == ()
    for statement in ("UPDATE attached_files SET content = x'00'", "DELETE FROM attached_files"):
        with pytest.raises(Exception, match="only ever added"), store.transaction(writes=True) as connection:
            connection.execute(text(statement))
    with store.transaction(writes=True) as connection:
        connection.execute(text("DROP TRIGGER attached_files_no_update"))
        connection.execute(text("UPDATE attached_files SET content = x'00'"))
    assert "does not have the hash" in Attachments(store).faults()[0]
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    told = CliRunner().invoke(app, ["review", "verify", "--store", url])
    assert told.exit_code != 0


def test_attaching_leaves_the_decision_standing_and_is_not_taken_back(ana: r.Browser) -> None:
    ana.decide("d0", kind="accepted")
    attach(ana)
    assert [row.kind for row in ana.desk.decisions.standing()] == ["accepted"]
    assert ana.undo(2).status_code == 409
    assert ana.decide("d0", kind="rejected").status_code == 303


def test_a_dossier_holds_what_may_be_passed_on_and_says_what_is_left_out(
    ana: r.Browser, store: Store, tmp_path: Path
) -> None:
    attach(ana, "mine.png", may_share="yes", note="from the pier")
    attach(ana, "closed.txt", b"secret words")
    quick = Asked(imagery=False)
    (finding,) = find_findings(store, ["d0"], quick)
    assert [one.name for one in finding.attached] == ["mine.png"]
    assert finding.attached_withheld == 1
    files = make_dossier(store, ["d0"], tmp_path / "out", quick)
    again = make_dossier(store, ["d0"], tmp_path / "again", quick)
    assert [f.read_bytes() for f in files] == [f.read_bytes() for f in again]
    names = {f.name for f in files}
    assert "1-mine.png" in names
    assert not any(b"secret words" in f.read_bytes() for f in files)
    page = (tmp_path / "out" / "d0" / "dossier.html").read_text()
    assert LICENCE in page
    assert "1 file left out: not to be passed on." in page
    assert hashlib.sha256(image()).hexdigest() in page


def change(store: Store, statement: str, **values: Any) -> None:
    """Change the files of a store past its triggers, as whoever holds the database can."""
    with store.transaction(writes=True) as connection:
        connection.execute(text("DROP TRIGGER IF EXISTS attached_files_no_update"))
        connection.execute(text("DROP TRIGGER IF EXISTS decisions_no_update"))
        connection.execute(text(statement), values)


def verify(tmp_path: Path) -> tuple[int, dict[str, Any], str]:
    """Run `roadstead review verify` over the store of the fixtures."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    run = CliRunner().invoke(app, ["review", "verify", "--json", "--store", url])
    return run.exit_code, json.loads(run.stdout), run.stderr


def test_a_picture_that_was_swapped_is_found_and_not_shown(
    ana: r.Browser, store: Store, tmp_path: Path
) -> None:
    attach(ana)
    assert verify(tmp_path) == (0, {**verify(tmp_path)[1], "faults": [], "pictures_unchecked": 0}, "")
    other = read_upload("x.png", image(size=(9, 9)))[1]
    change(store, "UPDATE attached_files SET shown = :other", other=other)
    code, said, _ = verify(tmp_path)
    assert code != 0
    assert said["faults"] == [
        "decision 1 (ana, d0): the picture shown of 'photo.png' does not have the hash that it was attached with"
    ]
    answer = ana.get("/file/1/shown.webp")
    assert answer.status_code == 503
    assert "is not the one that was attached" in answer.text


def test_attaching_a_file_again_does_not_make_a_swapped_picture_right(ana: r.Browser, store: Store) -> None:
    attach(ana)
    change(store, "UPDATE attached_files SET shown = x'00'")
    attach(ana, finding="d3")
    assert [fault.split()[1] for fault in Attachments(store).faults()] == ["1"]


@pytest.mark.parametrize("shown", [None, b"another"])
def test_a_picture_taken_away_or_put_beside_a_document_is_found(
    ana: r.Browser, store: Store, shown: bytes | None
) -> None:
    attach(ana, *(("a.txt", b"words") if shown else ()))
    change(store, "UPDATE attached_files SET shown = :shown", shown=shown)
    assert "the picture shown of" in Attachments(store).faults()[0]


def test_pictures_attached_before_their_hash_was_kept_are_counted_as_unchecked(
    ana: r.Browser, store: Store, tmp_path: Path
) -> None:
    attach(ana)
    (row,) = ana.desk.decisions.newest(9)
    older = canonical({name: value for name, value in row.file.items() if name != "shown_sha256"})
    sha256 = digest({**asdict(row), "attachment": older})
    change(store, "UPDATE decisions SET attachment = :older, sha256 = :sha256", older=older, sha256=sha256)
    code, said, words = verify(tmp_path)
    assert (code, said["faults"], said["pictures_unchecked"]) == (0, [], 1)
    assert "1 pictures were attached before the chain kept their hashes" in words
    assert ana.get("/file/1/shown.webp").status_code == 200
