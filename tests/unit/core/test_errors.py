import re

import pytest

from roadstead.core import errors


def every_error() -> list[type[errors.RoadsteadError]]:
    return [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, errors.RoadsteadError)]


@pytest.mark.parametrize("error", every_error(), ids=lambda e: e.__name__)
def test_the_drawn_tree_holds_every_error(error: type[errors.RoadsteadError]) -> None:
    assert re.search(rf"\b{error.__name__}\b", errors.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("UsageError", 2),
        ("BadInputError", 3),
        ("AisError", 3),
        ("UpstreamError", 4),
        ("ReadError", 4),
        ("PartialError", 5),
    ],
)
def test_exit_codes_are_the_published_ones(error: str, code: int) -> None:
    assert getattr(errors, error).exit_code == code


def test_a_partial_result_names_each_scene_that_failed() -> None:
    message = str(errors.PartialError({"S2A_1": "truncated", "S2A_2": "403"}))
    assert "S2A_1: truncated" in message
    assert "S2A_2: 403" in message
