"""Heads of each mode: their layers, losses worked out by hand, missing labels, probabilities and
scores.
"""

import math

import pytest
import torch
from torch.nn import functional

from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.errors import KneeoaError
from kneeoa.heads import registry

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1))
FINDINGS = Level(name="findings", kind="multilabel", classes=("osteophyte", "narrowing", "sclerosis"))
LEVELS = (OA, KL, FINDINGS)


def heads(kind, *names, width=6, losses=None, levels=LEVELS, **weights):
    torch.manual_seed(0)
    return registry.build(Mode(kind=kind, levels=names, weights=weights, losses=losses or {}), levels, width)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("kind", "names", "outputs", "parameters"),
    [
        ("single", ["oa"], {"oa": 1}, 7),
        ("single", ["kl"], {"kl": 5}, 35),
        ("single", ["findings"], {"findings": 3}, 21),
        ("dual", ["oa", "kl"], {"oa": 2, "kl": 5}, 14 + 35),
        ("dual", ["oa", "kl", "findings"], {"oa": 2, "kl": 5, "findings": 3}, 14 + 35 + 21),
        ("dual_stacked", ["oa", "kl"], {"oa": 2, "kl": 5}, 12 + 35),
        ("dual_stacked", ["oa", "kl", "findings"], {"oa": 2, "kl": 5, "findings": 3}, 21 + 20 + 12),
    ],
)
def test_outputs_and_parameters(kind, names, outputs, parameters):
    built = heads(kind, *names)
    logits = built(torch.randn(4, 6))
    assert {name: tuple(each.shape) for name, each in logits.items()} == {name: (4, width) for name, width in outputs.items()}
    assert count(built) == parameters


def test_stacked_coarse_head_reads_the_fine_logits_alone():
    built = heads("dual_stacked", "oa", "kl")
    fine, coarse = built.heads
    assert count(coarse) == 12
    embedding = torch.randn(4, 6)
    logits = built(embedding)
    assert torch.equal(logits["kl"], fine(embedding))
    assert torch.equal(logits["oa"], coarse(logits["kl"]))


def test_a_longer_stack_is_a_chain_each_head_reading_the_next_finer_one():
    oa, stage = LEVELS[0], Level(name="stage", kind="ordinal", classes=("none", "mild", "severe"), parent="oa", parent_class=(0, 1, 1))
    kl = KL.model_copy(update={"parent": "stage", "parent_class": (0, 0, 1, 1, 2)})
    built = heads("dual_stacked", "oa", "stage", "kl", levels=(oa, stage, kl), losses={"kl": "corn"})
    _, stage_head, oa_head = built.heads
    assert [(each.in_features, each.out_features) for each in built.heads] == [(6, 4), (4, 3), (3, 2)]
    logits = built(torch.randn(4, 6))
    assert list(logits) == ["oa", "stage", "kl"]
    assert torch.equal(logits["stage"], stage_head(logits["kl"]))
    assert torch.equal(logits["oa"], oa_head(logits["stage"]))
    losses = built.loss(logits, {"oa": torch.tensor([0, 1, 1, 1]), "stage": torch.tensor([0, 1, 1, 2]), "kl": torch.tensor([1, 2, 3, 4])})
    losses["oa"].backward()
    assert all(each.weight.grad.any() for each in built.heads)  # the coarse loss teaches the whole chain


def test_parallel_heads_of_three_levels_do_not_touch_each_other():
    built = heads("dual", "oa", "kl", "findings", losses={"kl": "coral"}, findings=0.25)
    logits = built(torch.randn(4, 6))
    labels = {"oa": torch.tensor([0, 0, 1, 1]), "kl": torch.tensor([0, 1, 2, 4]), "findings": torch.randint(0, 2, (4, 3))}
    losses = built.loss(logits, labels)
    torch.testing.assert_close(losses["total"], losses["oa"] + losses["kl"] + 0.25 * losses["findings"])
    losses["kl"].backward()
    touched = [any(each.grad is not None and bool(each.grad.any()) for each in head.parameters()) for head in built.heads]
    assert touched == [False, True, False]


def test_single_binary_loss_by_hand():
    losses = heads("single", "oa").loss({"oa": torch.tensor([[0.0], [2.0], [-1.0]])}, {"oa": torch.tensor([1, 0, -1])})
    expected = (math.log(2) + math.log1p(math.exp(2))) / 2
    assert losses["oa"].item() == pytest.approx(expected, rel=1e-6)
    assert losses["total"].item() == pytest.approx(expected, rel=1e-6)


def test_dual_loss_by_hand_with_weight_and_gaps():
    fine = torch.tensor([[0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 3.0]])
    coarse = torch.tensor([[0.0, 1.0], [5.0, 5.0]])
    losses = heads("dual", "oa", "kl", oa=0.5).loss({"oa": coarse, "kl": fine}, {"oa": torch.tensor([1, -1]), "kl": torch.tensor([2, 4])})
    oa = math.log1p(math.exp(-1))
    kl = (math.log(5) + math.log(math.exp(1) + 3 + math.exp(3)) - 3) / 2
    assert losses["oa"].item() == pytest.approx(oa, rel=1e-6)
    assert losses["kl"].item() == pytest.approx(kl, rel=1e-6)
    assert losses["total"].item() == pytest.approx(0.5 * oa + kl, rel=1e-6)


def test_multilabel_loss_leaves_gaps_out():
    logits = torch.tensor([[0.0, 1.0, 9.0], [-2.0, 9.0, 9.0]])
    labels = torch.tensor([[1, 0, -1], [0, -1, -1]])
    loss = heads("single", "findings").loss({"findings": logits}, {"findings": labels})["findings"]
    assert loss.item() == pytest.approx((math.log(2) + math.log1p(math.exp(1)) + math.log1p(math.exp(-2))) / 3, rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "names"), [("single", ["oa"]), ("single", ["kl"]), ("dual", ["oa", "kl", "findings"]), ("dual_stacked", ["oa", "kl"])]
)
def test_a_batch_without_labels_contributes_nothing(kind, names):
    built = heads(kind, *names)
    nothing = {name: torch.full((2, 3) if name == "findings" else (2,), -1) for name in names}
    losses = built.loss(built(torch.randn(2, 6)), nothing)
    losses["total"].backward()
    assert all(each.item() == 0 for each in losses.values())
    assert all(each.grad is None or not each.grad.any() for each in built.parameters())


def test_a_level_without_labels_leaves_the_other_alone():
    built = heads("dual", "oa", "kl")
    logits = built(torch.randn(3, 6))
    losses = built.loss(logits, {"oa": torch.full((3,), -1), "kl": torch.tensor([0, 2, 4])})
    assert losses["oa"].item() == 0
    assert torch.equal(losses["total"], losses["kl"])
    torch.testing.assert_close(losses["kl"], functional.cross_entropy(logits["kl"], torch.tensor([0, 2, 4])))


def test_labels_are_asked_for_and_their_shape_is_checked():
    built = heads("dual", "oa", "kl")
    logits = built(torch.randn(2, 6))
    with pytest.raises(KneeoaError, match="no labels were given for the supervised level 'kl'; given are \\['oa'\\]"):
        built.loss(logits, {"oa": torch.tensor([0, 1])})
    with pytest.raises(KneeoaError, match="'oa' have the shape \\[2, 1\\]; expected is \\[2\\]"):
        built.loss(logits, {"oa": torch.tensor([[0], [1]]), "kl": torch.tensor([0, 1])})


def test_probabilities_do_not_saturate_in_double():
    single = heads("single", "oa").probabilities({"oa": torch.tensor([[30.0], [-30.0], [0.0]])})["oa"]
    assert single.dtype == torch.float64
    assert single.shape == (3, 2)
    assert single[0, 0].item() == pytest.approx(math.exp(-30), rel=1e-9)
    assert single[1, 1].item() == pytest.approx(math.exp(-30), rel=1e-9)
    assert single[2].tolist() == [0.5, 0.5]
    several = heads("dual", "oa", "findings").probabilities({"oa": torch.randn(3, 2), "findings": torch.tensor([[0.0, 2.0, -2.0]])})
    torch.testing.assert_close(several["oa"].sum(dim=1), torch.ones(3, dtype=torch.float64))
    assert several["findings"].tolist()[0] == pytest.approx([0.5, 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(2))])


def test_score_is_the_log_odds_of_the_positive_classes():
    built, logits = heads("dual", "oa", "kl"), {"oa": torch.randn(4, 2), "kl": torch.randn(4, 5)}
    p = built.probabilities(logits)["kl"][:, 2:].sum(dim=1)
    torch.testing.assert_close(built.score(logits, "kl", {2, 3, 4}).double(), torch.logit(p), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(built.score(logits, "oa", {1}), logits["oa"][:, 1] - logits["oa"][:, 0])
    z = torch.tensor([[3.0], [-40.0]])
    assert heads("single", "oa").score({"oa": z}, "oa", {1}).tolist() == [3.0, -40.0]
    for positive in (set(), {0, 1, 2, 3, 4}):
        with pytest.raises(KneeoaError, match="no log-odds"):
            built.score(logits, "kl", positive)


def test_each_level_is_trained_by_what_suits_its_kind_and_the_configuration_chooses():
    mode = Mode(kind="dual", levels=("oa", "kl", "findings"))
    assert registry.losses(mode, LEVELS) == {"oa": "cross_entropy", "kl": "cross_entropy", "findings": "bce"}
    assert registry.losses(Mode(kind="single", levels=("oa",)), LEVELS) == {"oa": "bce"}
    assert heads("single", "oa", losses={"oa": "cross_entropy"})(torch.randn(1, 6))["oa"].shape == (1, 2)
    assert heads("dual", "oa", "kl", losses={"oa": "bce"})(torch.randn(1, 6))["oa"].shape == (1, 1)
    with pytest.raises(KneeoaError, match=r"'losses\.oa' is 'corn', but level 'oa' is binary, which takes cross_entropy or bce"):
        heads("single", "oa", losses={"oa": "corn"})
    with pytest.raises(ValueError, match="'losses' names \\['kl'\\], which is not among the levels \\['oa'\\]"):
        Mode(kind="single", levels=("oa",), losses={"kl": "corn"})


def test_the_code_of_a_mode_is_its_own_file_and_those_of_its_losses():
    mode = Mode(kind="dual", levels=("oa", "kl"), losses={"kl": "corn"})
    modules = registry.code_modules(mode.kind, registry.losses(mode, LEVELS).values())
    assert modules == ("kneeoa.heads.dual", "kneeoa.heads.losses.corn", "kneeoa.heads.losses.cross_entropy")


def test_unknown_modes_and_levels_are_named():
    with pytest.raises(KneeoaError, match="'flat', which is not a mode; allowed are dual, dual_stacked, single"):
        registry.code_modules("flat")
    with pytest.raises(KneeoaError, match="the level 'grade', which is not declared; declared are oa, kl, findings"):
        heads("single", "grade")
