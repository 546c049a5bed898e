"""Files are written whole or not at all."""

from pathlib import Path

import pytest

from roadstead.core.atomic_files import replacing, write_text
from roadstead.core.errors import StoreError


def test_a_file_takes_its_place_at_the_end_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.npz"
    with replacing(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.suffix == ".npz", "writers that go by the suffix keep to the name"
    assert path.read_text() == "half"
    assert [p.name for p in path.parent.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("failure", [OSError(28, "No space left"), ValueError("bad"), KeyboardInterrupt()])
def test_where_writing_fails_the_earlier_file_is_as_it_was(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "earlier")
    expected = StoreError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected), replacing(path) as temporary:
        temporary.write_text("half")
        raise failure
    assert path.read_text() == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_or_device_is_never_replaced(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(StoreError, match="no regular file"):
            write_text(path, "x")
