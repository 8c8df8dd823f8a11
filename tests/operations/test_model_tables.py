"""Tables of the models of a run: what is said once is not said again."""

from __future__ import annotations

from pathlib import Path

from provenance.core.record import captured
from provenance.facets._model import Layer, Made, Summary
from provenance.operations import _appendix_model
from tests.facet_contract import a_record


def test_layers_of_an_equal_model_are_not_listed_again(tmp_path: Path) -> None:
    layers = (Layer("fc", "torch.nn.Linear", {"weight": [2, 2]}, 4, True),)
    net = Summary("__main__.Net", layers=layers, total=4, optimizers=(0,))
    other = Summary("__main__.Net", layers=(layers[0]._replace(name="out"),), total=4)
    made = Made(models=(net, net._replace(optimizers=()), other))
    run = a_record(tmp_path, {"model": captured(1, made)})
    first, second, third = _appendix_model.tables(run)[:3]
    assert [len(table.rows) for table in (first, second, third)] == [1, 0, 1]
    assert second.notes[0] == "Layer by layer as model 1."
