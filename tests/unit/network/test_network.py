"""A backbone with heads: what it can speak about, its scores and probabilities, dropout, and its
two files.
"""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.errors import KneeoaError
from kneeoa.level_derivation import derive_probabilities
from kneeoa.network.model import ModelSpec, build, load, save
from kneeoa.network.network import channels_last, kernels_channels_last

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
STAGE = Level(name="stage", kind="ordinal", classes=("none", "mild", "severe"), parent="oa", parent_class=(0, 1, 1))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="stage", parent_class=(0, 0, 1, 1, 2))
OPTIONS = {
    "resnet3d": {"width": 4},
    "m3t": {"channels": 2, "cnn_width": 4, "projection": 8, "embedding": 8, "depth": 1, "heads": 2},
    "nnmamba": {"channels": 4, "blocks": 1, "state": 2},
}


def spec(*names, kind="dual", backbone="resnet3d", levels=(OA, STAGE, KL)):
    mode = Mode(kind=kind, levels=names)
    return ModelSpec(
        backbone=backbone, options=OPTIONS[backbone], dimensions=3, in_channels=1, shape=(18, 18, 20), mode=mode, levels=levels
    )


def network(*names, **choices):
    torch.manual_seed(0)
    return build(spec(*names, **choices))


def images(count=3):
    return torch.randn(count, 1, 18, 18, 20, generator=torch.Generator().manual_seed(5))


def test_output_and_readings():
    dual = network("oa", "kl").eval()
    output = dual(images())
    assert output.embedding.shape == (3, 32)
    assert {name: tuple(each.shape) for name, each in output.logits.items()} == {"oa": (3, 2), "kl": (3, 5)}
    assert len(output.maps) == 4
    assert set(dual.readings) == {("oa", "oa"), ("kl", "kl"), ("stage", "kl"), ("oa", "kl")}
    assert network("kl", kind="single").readings == (("kl", "kl"), ("stage", "kl"), ("oa", "kl"))
    assert network("oa", kind="single").readings == (("oa", "oa"),)


def test_coarse_probabilities_are_sums_of_fine_ones():
    dual = network("oa", "kl").eval()
    with torch.no_grad():
        probabilities = dual.probabilities(dual(images()).logits)
    assert set(probabilities) == set(dual.readings)
    fine = probabilities["kl", "kl"].numpy()
    assert probabilities["kl", "kl"].dtype == torch.float64
    torch.testing.assert_close(probabilities["stage", "kl"], torch.from_numpy(derive_probabilities(fine, (0, 0, 1, 1, 2), 3)))
    torch.testing.assert_close(probabilities["oa", "kl"], torch.from_numpy(derive_probabilities(fine, (0, 0, 1, 1, 1), 2)))


def test_a_coarse_class_without_fine_classes_has_probability_zero():
    partial = Level(name="kl", kind="ordinal", classes=("0", "1"), parent="stage", parent_class=(0, 2))
    single = network("kl", kind="single", levels=(OA, STAGE, partial)).eval()
    output = single(images())
    assert single.probabilities(output.logits)["stage", "kl"][:, 1].tolist() == [0, 0, 0]
    all_diseased = Level(name="kl", kind="ordinal", classes=("3", "4"), parent="oa", parent_class=(1, 1))
    single = network("kl", kind="single", levels=(OA, all_diseased))
    with pytest.raises(KneeoaError, match="no log-odds"):
        single.target_score(output, "oa", "kl")


def test_a_named_class_is_explained_by_its_log_odds_and_a_finding_by_its_own():
    dual = network("oa", "kl").eval()
    output = dual(images())
    kl = output.logits["kl"]
    shares = torch.softmax(kl, dim=1)[:, 3]
    torch.testing.assert_close(dual.class_score(output, "kl", "kl", 3), torch.log(shares) - torch.log1p(-shares))
    stage = torch.softmax(kl, dim=1)[:, 2:4].sum(dim=1)
    torch.testing.assert_close(dual.class_score(output, "stage", "kl", 1), torch.log(stage) - torch.log1p(-stage))
    torch.testing.assert_close(dual.class_score(output, "oa", "oa", 1), dual.target_score(output, "oa", "oa"))
    torch.testing.assert_close(dual.class_score(output, "oa", "oa", 0), -dual.target_score(output, "oa", "oa"))
    findings = Level(name="findings", kind="multilabel", classes=("osteophytes", "narrowing", "cysts"))
    single = network("findings", kind="single", levels=(findings,)).eval()
    output = single(images())
    probabilities = single.probabilities(output.logits)["findings", "findings"][:, 1]
    torch.testing.assert_close(torch.sigmoid(single.class_score(output, "findings", "findings", 1)).double(), probabilities)
    with pytest.raises(KneeoaError, match="findings have no common score to explain; name one of them"):
        single.target_score(output, "findings", "findings")
    with pytest.raises(KneeoaError, match="no score of level 'oa' from head 'kl'"):
        single.class_score(output, "oa", "kl", 0)


def test_target_scores():
    dual = network("oa", "kl").eval()
    output = dual(images())
    oa, kl = output.logits["oa"], output.logits["kl"]
    torch.testing.assert_close(dual.target_score(output, "oa", "oa"), oa[:, 1] - oa[:, 0])
    expected = torch.logsumexp(kl[:, 2:], dim=1) - torch.logsumexp(kl[:, :2], dim=1)
    torch.testing.assert_close(dual.target_score(output, "oa", "kl"), expected)
    torch.testing.assert_close(torch.sigmoid(expected), torch.softmax(kl, dim=1)[:, 2:].sum(dim=1))
    torch.testing.assert_close(dual.target_score(output, "kl", "kl"), kl.max(dim=1).values)
    single = network("oa", kind="single").eval()
    output = single(images())
    torch.testing.assert_close(single.target_score(output, "oa", "oa"), output.logits["oa"][:, 0])
    with pytest.raises(KneeoaError, match="no score of level 'oa' from head 'kl'; this network gives oa from oa"):
        single.target_score(output, "oa", "kl")


@pytest.mark.parametrize("backbone", OPTIONS)
def test_scores_have_a_gradient_by_the_image(backbone):
    single = network("kl", kind="single", backbone=backbone).eval()
    image = images().requires_grad_()
    single.target_score(single(image), "oa", "kl").sum().backward()
    assert image.grad.shape == image.shape
    assert (image.grad.flatten(1).abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize("backbone", OPTIONS)
@pytest.mark.parametrize(("kind", "names"), [("single", ["oa"]), ("dual", ["oa", "kl"]), ("dual_stacked", ["oa", "kl"])])
def test_saved_and_loaded_networks_agree_bit_for_bit(tmp_path, backbone, kind, names):
    trained = network(*names, kind=kind, backbone=backbone)
    trained(images())  # moves the running statistics of batch norms
    save(trained, spec(*names, kind=kind, backbone=backbone), tmp_path)
    save(trained, spec(*names, kind=kind, backbone=backbone), tmp_path / "again")
    drawn = torch.get_rng_state()
    loaded, description = load(tmp_path)
    assert torch.equal(drawn, torch.get_rng_state())
    assert description == spec(*names, kind=kind, backbone=backbone)
    assert not loaded.training
    with torch.no_grad():
        before, after = trained.eval()(images()), loaded(images())
    assert torch.equal(before.embedding, after.embedding)
    assert all(torch.equal(before.logits[name], after.logits[name]) for name in names)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["model.json", "weights.safetensors"]
    for name in ("model.json", "weights.safetensors"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_loaded_networks_can_be_trained_further(tmp_path):
    save(network("oa", "kl"), spec("oa", "kl"), tmp_path)
    loaded, _ = load(tmp_path)
    loaded.train()
    loaded.heads.loss(loaded(images()).logits, {"oa": torch.tensor([0, 1, 1]), "kl": torch.tensor([0, 2, 4])})["total"].backward()
    assert all(each.requires_grad and each.grad is not None for each in loaded.parameters())


def test_damaged_or_foreign_files_are_named(tmp_path):
    with pytest.raises(KneeoaError, match=r"model\.json is missing"):
        load(tmp_path)
    save(network("oa", "kl"), spec("oa", "kl"), tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(spec("oa", "kl", kind="dual_stacked").to_json()))
    with pytest.raises(KneeoaError, match=r"weights\.safetensors does not hold the weights"):
        load(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({**spec("oa", "kl").to_json(), "depth": 3}))
    with pytest.raises(KneeoaError, match="'depth' is not known"):
        load(tmp_path)
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(KneeoaError, match="is not JSON"):
        load(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(spec("oa", "kl").to_json()))
    (tmp_path / "weights.safetensors").write_bytes(b"damaged")
    with pytest.raises(KneeoaError, match=r"weights\.safetensors does not hold the weights"):
        load(tmp_path)


def test_specifications_survive_json_and_take_plain_mappings():
    one = spec("oa", "kl")
    assert ModelSpec.from_json(json.loads(json.dumps(one.to_json()))) == one
    plain = {**one.to_json(), "mode": {"kind": "dual", "levels": ["oa", "kl"]}}
    assert ModelSpec.from_json(plain) == one


def test_dropout_before_the_head_in_training_alone():
    mamba = network("kl", kind="single", backbone="nnmamba")
    assert mamba.dropout.p == 0.5
    embedding = torch.ones(1, 32)
    mamba.backbone.forward = lambda image: type("Features", (), {"embedding": embedding, "maps": []})()
    torch.manual_seed(0)
    trained, mamba = mamba(images()).logits["kl"], mamba.eval()
    assert not torch.equal(trained, mamba(images()).logits["kl"])
    assert torch.equal(mamba(images()).logits["kl"], mamba.heads(embedding)["kl"])
    assert network("kl", kind="single").dropout.p == 0


@pytest.mark.parametrize("backbone", OPTIONS)
def test_a_few_steps_learn_an_easy_difference(backbone):
    learner = network("oa", "kl", backbone=backbone)
    labels = {"oa": torch.tensor([0, 0, 1, 1]), "kl": torch.tensor([0, 1, 3, 4])}
    bright = images(4) + 2.0 * labels["oa"].reshape(4, 1, 1, 1, 1)
    optimiser = torch.optim.AdamW(learner.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        loss = learner.heads.loss(learner(bright).logits, labels)["total"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-3:]) / 3 < 0.9 * losses[0]


def test_channels_last_changes_the_layout_and_no_value():
    network = nn.ModuleList([nn.Conv3d(2, 4, 3), nn.Conv2d(2, 4, 3), nn.Linear(2, 2)])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    kernels_channels_last(network)
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert network[1].weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("convolution", [nn.Conv2d, nn.Conv3d])
def test_layers_stay_channels_last_even_where_their_kernels_tell_nothing(convolution, channels):
    """An image of one channel, depthwise kernels and kernels of one voxel lie both ways at once."""
    network = nn.Sequential(convolution(channels, 16, 3), convolution(16, 16, 3, groups=16), convolution(16, 24, 1))
    kernels_channels_last(network)
    image = torch.randn(16, channels, *[8] * (network[0].weight.dim() - 2), requires_grad=True)
    laid = channels_last(image)
    assert torch.equal(laid, image)
    assert network(laid).stride(1) == 1
    network(laid).sum().backward()
    gradient, image.grad = image.grad, None
    network.to(memory_format=torch.contiguous_format)(image).sum().backward()
    assert torch.allclose(gradient, image.grad, rtol=1e-4, atol=1e-4)
