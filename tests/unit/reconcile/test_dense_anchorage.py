"""A dense anchorage: named rightly, and more named than by a distance rule."""

from benchmarks import dense_anchorage as dense

SEEDS = range(8)


def test_with_lengths_and_headings_nearly_all_names_are_right_and_most_ships_are_named() -> None:
    worlds = [dense.draw(seed) for seed in SEEDS]
    named, right, total = dense.score(dense.ours, worlds)
    peer_named, _, _ = dense.score(dense.gated_rule, worlds)
    assert right / named >= 0.985
    assert named >= 1.5 * peer_named and named >= 0.6 * total


def test_positions_alone_leave_most_ships_ambiguous_rather_than_misnamed() -> None:
    named, right, total = dense.score(dense.ours, [dense.draw(seed, attributes=False) for seed in SEEDS])
    assert right / named >= 0.98 and 0.1 * total < named < 0.6 * total


def test_a_wrong_length_does_not_make_a_wrong_name() -> None:
    worlds = [dense.draw(seed, wrong_length=0.1) for seed in SEEDS]
    named, right, _ = dense.score(dense.ours, worlds)
    assert right / named >= 0.98


def test_the_nearest_vessel_is_often_the_wrong_one() -> None:
    named, right, _ = dense.score(dense.nearest, [dense.draw(seed) for seed in SEEDS])
    assert right / named < 0.93
