"""The first guess of a map: from values where they are equal, else from shapes and names."""

import numpy as np
import pytest

from provenance.compare import _mapping_parse as grammar
from provenance.compare.mapping import compare_mapped
from provenance.compare.mapping_guess import CLOSE, EXACT, NAMES, guess, written
from tests.compare.tensor_helpers import archive

HIDDEN = 8


def torch_net(seed=0):
    random = np.random.default_rng(seed)

    def some(*shape):
        return random.normal(size=shape).astype("f4")

    return {
        "conv1.weight": some(8, 3, 3, 3),
        "conv1.bias": some(8),
        "bn1.weight": some(8),
        "bn1.bias": some(8),
        "bn1.running_mean": some(8),
        "bn1.running_var": some(8) ** 2,
        "bn1.num_batches_tracked": np.array(7),
        "conv2.weight": some(8, 8, 3, 3),
        "conv2.bias": some(8),
        "lstm.weight_ih_l0": some(4 * HIDDEN, 16),
        "lstm.weight_hh_l0": some(4 * HIDDEN, HIDDEN),
        "lstm.bias_ih_l0": some(4 * HIDDEN),
        "lstm.bias_hh_l0": some(4 * HIDDEN),
        "fc1.weight": some(16, 16),
        "fc1.bias": some(16),
        "fc2.weight": some(10, 16),
        "fc2.bias": some(10),
    }


def keras_net(net):
    """Return the same as Keras would keep it."""
    made = {}
    for new, old in (("conv2d", "conv1"), ("conv2d_1", "conv2")):
        made[new + "/kernel"] = net[old + ".weight"].transpose(2, 3, 1, 0)
        made[new + "/bias"] = net[old + ".bias"]
    for new, old in (("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean")):
        made["batch_normalization/" + new] = net["bn1." + old]
    made["batch_normalization/moving_variance"] = net["bn1.running_var"]
    made["lstm/lstm_cell/kernel"] = net["lstm.weight_ih_l0"].T
    made["lstm/lstm_cell/recurrent_kernel"] = net["lstm.weight_hh_l0"].T
    made["lstm/lstm_cell/bias"] = net["lstm.bias_ih_l0"] + net["lstm.bias_hh_l0"]
    for new, old in (("dense", "fc1"), ("dense_1", "fc2")):
        made[new + "/kernel"] = net[old + ".weight"].T
        made[new + "/bias"] = net[old + ".bias"]
    return made


def flax_net(net):
    """Return the dense part as a flax tree, flattened."""
    return {
        "params/Dense_0/kernel": net["fc1.weight"].T,
        "params/Dense_0/bias": net["fc1.bias"],
        "params/Dense_1/kernel": net["fc2.weight"].T,
        "params/Dense_1/bias": net["fc2.bias"],
        "params/Conv_0/kernel": net["conv1.weight"].transpose(2, 3, 1, 0),
        "params/Conv_0/bias": net["conv1.bias"],
        "params/BatchNorm_0/scale": net["bn1.weight"],
        "params/BatchNorm_0/bias": net["bn1.bias"],
        "batch_stats/BatchNorm_0/mean": net["bn1.running_mean"],
        "batch_stats/BatchNorm_0/var": net["bn1.running_var"],
    }


def bert(seed, style):
    """Return two layers and the embeddings of a small BERT in the names of torch or TensorFlow."""
    random, made = np.random.default_rng(seed), {}
    tf = style == "tf"

    def put(name, *shape):
        value = random.normal(size=shape).astype("f4")
        if tf:
            for torch, theirs in (
                (".layer.", "/layer_"),
                (".weight", "/kernel"),
                ("LayerNorm/kernel", "LayerNorm/gamma"),
                ("LayerNorm.bias", "LayerNorm/beta"),
                ("embeddings/kernel", "embeddings"),
            ):
                name = name.replace(torch, theirs)
            name = name.replace(".", "/")
            turned = name.endswith("kernel")
            made[name.replace("LayerNorm/bias", "LayerNorm/beta")] = value.T if turned else value
        else:
            made[name] = value

    put("bert.embeddings.word_embeddings.weight", 40, 16)
    put("bert.embeddings.LayerNorm.weight", 16)
    put("bert.embeddings.LayerNorm.bias", 16)
    for layer in range(2):
        for part in ("query", "key", "value"):
            put("bert.encoder.layer.%d.attention.self.%s.weight" % (layer, part), 16, 16)
            put("bert.encoder.layer.%d.attention.self.%s.bias" % (layer, part), 16)
        put("bert.encoder.layer.%d.attention.output.dense.weight" % layer, 16, 16)
        put("bert.encoder.layer.%d.attention.output.LayerNorm.weight" % layer, 16)
        put("bert.encoder.layer.%d.intermediate.dense.weight" % layer, 32, 16)
        put("bert.encoder.layer.%d.output.dense.weight" % layer, 16, 32)
    return made


def maps(found, old, new):
    """Return the guess as the file that is written says it."""
    return grammar.loads(written(found, "a", "b"))


def test_a_port_with_equal_values_is_guessed_whole():
    net = torch_net()
    old, new = archive(net), archive(keras_net(net))
    found = guess(old, new)
    assert {one.sure for one in found.pairs} == {EXACT}
    assert found.old_left == found.new_left == ()
    assert compare_mapped(old, new, maps(found, old, new)).verdict == "same"


def test_the_other_direction_too():
    net = torch_net()
    old, new = archive(keras_net(net)), archive(net)
    found = guess(old, new)
    assert compare_mapped(old, new, maps(found, old, new)).verdict == "same"


def test_a_port_with_other_values_is_guessed_by_shape_and_name():
    wanted = {
        str(one.entry.left): str(one.entry.right)
        for one in guess(archive(torch_net()), archive(keras_net(torch_net()))).pairs
    }
    found = guess(archive(torch_net()), archive(keras_net(torch_net(seed=1))))
    assert {one.sure for one in found.pairs} == {NAMES}
    assert {str(one.entry.left): str(one.entry.right) for one in found.pairs} == wanted


@pytest.mark.parametrize("other", [0, 1])
def test_flax_names_and_trees(other):
    names = ("fc", "conv1", "bn1")
    net = {k: v for k, v in torch_net().items() if k.startswith(names)}
    found = guess(archive(net), archive(flax_net(torch_net(seed=other))))
    pairs = {str(one.entry.left): str(one.entry.right) for one in found.pairs}
    assert pairs["fc1.weight"] == "params/Dense_0/kernel | transpose"
    assert pairs["fc2.bias"] == "params/Dense_1/bias"
    assert pairs["conv1.weight"] == "params/Conv_0/kernel | HWIO -> OIHW"
    assert pairs["bn1.weight"] == "params/BatchNorm_0/scale"
    assert pairs["bn1.running_var"] == "batch_stats/BatchNorm_0/var"


@pytest.mark.parametrize("other", [0, 1])
def test_bert_of_tensorflow(other):
    old, new = archive(bert(0, "torch")), archive(bert(other, "tf"))
    found = guess(old, new)
    for one in found.pairs:
        left, right = str(one.entry.left), str(one.entry.right)
        assert left.count("LayerNorm") == right.count("LayerNorm"), (left, right)
        for word in ("query", "key", "value", "intermediate", "word_embeddings", "layer.1"):
            assert (word in left) == (word.replace(".1", "_1") in right), (left, right)
        assert ("transpose" in right) == ("/kernel" in right), (left, right)
    assert len(found.pairs) == len(old.tensors)


def test_rounded_values_are_close_values():
    net = torch_net()
    half = {k: v.astype("f2") if v.dtype == "f4" else v for k, v in net.items()}
    found = guess(archive(half), archive(keras_net(net)))
    assert sum(one.sure == CLOSE for one in found.pairs) >= 13


def test_a_fused_matrix_is_taken_apart_and_put_together():
    random = np.random.default_rng(4)
    parts = {"attn/%s/kernel" % n: random.normal(size=(6, 6)).astype("f4") for n in "qkv"}
    fused = {"attn.qkv.weight": np.concatenate([one.T for one in parts.values()])}
    for old, new in ((fused, parts), (parts, fused)):
        found = guess(archive(old), archive(new))
        assert {one.sure for one in found.pairs} == {EXACT}
        judged = compare_mapped(archive(old), archive(new), maps(found, old, new))
        assert judged.verdict == "same"


def test_a_layer_behind_flattened_pictures_is_found():
    weight = np.random.default_rng(5).normal(size=(7, 6 * 3 * 3)).astype("f4")
    kernel = weight.reshape(7, 6, 3, 3).transpose(2, 3, 1, 0).reshape(-1, 7)
    for old, new in (({"w": weight}, {"k": kernel}), ({"k": kernel}, {"w": weight})):
        found = guess(archive(old), archive(new))
        assert [one.sure for one in found.pairs] == [EXACT], found


def test_names_that_yaml_would_misread_are_quoted():
    names = ("a: b", "*x", "- y", "[z]", "t #1", 'q"uote', "w:0", "true", "1", "pa|ram", "x,y", "é")
    random = np.random.default_rng(6)
    net = {name: random.normal(size=9) for name in names}
    found = guess(archive(net), archive(net))
    assert compare_mapped(archive(net), archive(net), maps(found, net, net)).verdict == "same"
    assert len(maps(found, net, net).entries) == len(names)


def test_what_has_no_counterpart_is_listed_and_counters_are_ignored():
    net = torch_net()
    text = written(guess(archive(net), archive({"dense/kernel": net["fc1.weight"].T})), "a", "b")
    assert "# Of a without a counterpart:\n#   conv1.weight\n" in text
    assert '  - "*num_batches_tracked"' in text
