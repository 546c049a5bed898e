import numpy as np

from benchmarks.full_tile import _module_of, matched

HULL = np.array([[0.0, 0.0], [20.0, 0.0], [20.0, 3.0], [0.0, 3.0]])


def test_a_box_counts_as_matched_once_from_an_overlap_of_seven_tenths_on() -> None:
    theirs = np.stack([HULL, HULL + 100.0, HULL + 200.0])
    shifts = np.array([[0.0, 0.0], [1.0, 0.0], [103.0, 100.0], [207.0, 200.0]])
    ours = HULL + shifts[:, None]
    assert matched(theirs, ours) == 2
    assert matched(theirs, np.zeros((0, 4, 2))) == 0


def test_a_node_of_the_graph_names_the_layer_it_was_traced_from() -> None:
    assert _module_of("/model/model.0/conv/Conv") == "model.0.conv"
    assert _module_of("/model/model.10/m/m.0/attn/qkv/conv/Conv") == "model.10.m.0.attn.qkv.conv"
    assert _module_of("/model/model.23/cv3.0/cv3.0.2/Conv") == "model.23.cv3.0.2"
