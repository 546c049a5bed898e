"""Live feeds are imported piece by piece; what they bring no time for gets that of our clock."""

import socket
import threading
import time
from pathlib import Path

import pytest

from roadstead.ais import read_store
from roadstead.ais.archive.listen import feed_of, listen
from roadstead.core.errors import UpstreamError, UsageError
from tests.unit.ais.messages import position, voyage


def serve(lines: list[str], times: int = 1, cut: int = 0) -> int:
    server = socket.create_server(("127.0.0.1", 0))

    def send() -> None:
        for _ in range(times):
            link, _ = server.accept()
            with link:
                sent = "".join(f"{line}\r\n" for line in lines).encode()
                link.sendall(sent[: len(sent) - cut])
        server.close()

    threading.Thread(target=send, daemon=True).start()
    return int(server.getsockname()[1])


def test_a_tcp_feed_is_imported_with_our_clock_where_it_brings_no_time(tmp_path: Path) -> None:
    port = serve([*position(None), *voyage(None), "junk"])
    done = listen(f"tcp://127.0.0.1:{port}", tmp_path / "ais", seconds=1.0)
    assert (done.tally.positions, done.tally.static, done.tally.quarantined) == (1, 1, 1)
    (report,) = read_store(tmp_path / "ais").positions.to_dict("records")
    assert abs(report["time"].timestamp() - time.time()) < 30


def test_a_line_that_the_end_of_a_feed_cuts_off_is_counted(tmp_path: Path) -> None:
    port = serve([*position(0), *position(60)], cut=20)
    done = listen(f"tcp://127.0.0.1:{port}", tmp_path / "ais", seconds=1.0)
    assert (done.tally.positions, done.tally.quarantined) == (1, 1)


def test_a_udp_feed_is_imported_in_pieces(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for n in range(20):
                out.sendto("\r\n".join(position(n, lon=125.2 + n * 1e-4)).encode(), ("127.0.0.1", port))
                time.sleep(0.1)

    sender = threading.Thread(target=send, daemon=True)
    threading.Timer(0.3, sender.start).start()
    done = listen(f"udp://127.0.0.1:{port}", tmp_path / "ais", seconds=3.0, piece_s=0.8)
    assert len(list((tmp_path / "ais/files").iterdir())) >= 2
    assert done.tally.positions == len(read_store(tmp_path / "ais").positions) >= 15


def test_a_feed_that_stays_away_is_an_upstream_error_and_what_was_heard_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from roadstead.ais.archive import listen as module

    monkeypatch.setattr(module, "ATTEMPTS", 1)
    port = serve(position(0))
    with pytest.raises(UpstreamError, match="what was heard before is in the store"):
        listen(f"tcp://127.0.0.1:{port}", tmp_path / "ais")
    assert len(read_store(tmp_path / "ais").positions) == 1


@pytest.mark.parametrize("url", ["http://a:1", "tcp://a", "udp://:7", "tcp://a:99999", "nonsense"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--listen"):
        feed_of(url)


def test_the_same_lines_heard_again_are_another_import(tmp_path: Path) -> None:
    """A quiet feed repeats itself: without a time of its own each line gets that of our clock."""
    port = serve(position(None), times=2)
    done = listen(f"tcp://127.0.0.1:{port}", tmp_path / "ais", seconds=3.5, piece_s=0.7)
    assert done.tally.positions == 2
    assert len(read_store(tmp_path / "ais").positions) == 2
