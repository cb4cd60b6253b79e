"""A batch's parts add up to the batch, and class weights: computed from the labels given, their
mean over these 1.
"""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.errors import KneeoaError
from kneeoa.heads import registry
from kneeoa.heads.interface import balanced_weights

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1))
FINDINGS = Level(name="findings", kind="multilabel", classes=("osteophyte", "narrowing", "sclerosis"))
LEVELS = (OA, KL, FINDINGS)
GRADES = torch.tensor([0, 0, 0, 0, 0, 1, 1, 2, -1, 3, 4, -1])
LABELS = {
    "oa": torch.tensor([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, -1]),
    "kl": GRADES,
    "findings": torch.tensor([[1, 0, -1]] * 3 + [[0, 1, 0]] * 8 + [[-1, -1, -1]]),
}


def heads(loss="cross_entropy"):
    torch.manual_seed(0)
    return registry.build(Mode(kind="dual", levels=("oa", "kl", "findings"), losses={"kl": loss}, weights={"kl": 0.7}), LEVELS, 6)


def part(values, rows):
    return {name: each[rows] for name, each in values.items()}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["cross_entropy", "corn", "coral"])
def test_the_losses_of_parts_add_up_to_the_loss_of_the_batch(loss, weighted):
    built = heads(loss).double()
    if weighted:
        built.balance(LABELS)
    logits = built(torch.randn(12, 6, dtype=torch.float64))
    whole = built.loss(logits, LABELS)
    parts = [built.loss(part(logits, rows), part(LABELS, rows), built.terms(LABELS)) for rows in torch.arange(12).split([5, 4, 2, 1])]
    for name, value in whole.items():
        torch.testing.assert_close(sum(each[name] for each in parts), value)


def test_terms_count_labels_and_corns_conditional_tasks():
    terms = {loss: {name: int(each) for name, each in heads(loss).terms(LABELS).items()} for loss in ("cross_entropy", "corn")}
    assert terms["cross_entropy"] == {"oa": 11, "kl": 10, "findings": 2 * 3 + 3 * 8}
    assert terms["corn"] == terms["cross_entropy"] | {"kl": 5 * 1 + 2 * 2 + 3 + 4 + 4}


def test_balanced_weights_are_those_of_the_textbook_with_a_mean_of_one():
    weights = balanced_weights(GRADES, KL)
    labelled = GRADES[GRADES >= 0]
    expected = compute_class_weight("balanced", classes=np.arange(5), y=labelled.numpy())
    assert weights.tolist() == pytest.approx(expected.tolist())
    assert weights[labelled].mean().item() == pytest.approx(1.0)
    without = balanced_weights(labelled[labelled != 2], KL)
    assert without[2].item() == 1.0
    assert without[labelled[labelled != 2]].mean().item() == pytest.approx(1.0)
    findings = balanced_weights(LABELS["findings"], FINDINGS)
    assert findings.shape == (3, 2)
    assert findings[0].tolist() == pytest.approx([11 / 16, 11 / 6])
    assert findings[2].tolist() == pytest.approx([1.0, 1.0])  # present never occurs, absent always
    assert balanced_weights(torch.full((3,), -1), OA).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("loss", ["cross_entropy", "coral"])
def test_weights_scale_each_case_and_the_mean_stays_over_cases(loss):
    built = heads(loss)
    logits = built(torch.randn(12, 6))
    each = torch.stack([built.loss(part(logits, [row]), part(LABELS, [row]))["kl"] for row in range(12)])
    weights = balanced_weights(GRADES, KL)
    built.balance(LABELS)
    read = GRADES >= 0
    expected = (each[read].double() * weights[GRADES[read]]).sum() / read.sum()
    assert built.loss(logits, LABELS)["kl"].item() == pytest.approx(expected.item(), rel=1e-6)


def test_weights_of_findings_and_of_a_single_logit():
    built = heads()
    logits = {"oa": torch.zeros(12, 2), "kl": torch.zeros(12, 5), "findings": torch.zeros(12, 3)}
    built.balance(LABELS)
    losses = built.loss(logits, LABELS)
    assert losses["findings"].item() == pytest.approx(torch.log(torch.tensor(2.0)).item())  # equal losses times a mean weight of 1
    single = registry.build(Mode(kind="single", levels=("oa",)), LEVELS, 6)
    single.balance({"oa": LABELS["oa"]})
    z = torch.tensor([[2.0], [2.0]])
    expected = (11 / 14 * torch.log1p(torch.exp(torch.tensor(2.0))) + 11 / 8 * torch.log1p(torch.exp(torch.tensor(-2.0)))) / 2
    assert single.loss({"oa": z}, {"oa": torch.tensor([0, 1])})["oa"].item() == pytest.approx(expected.item(), rel=1e-6)


def test_weights_are_not_among_the_weights_that_are_saved():
    built = heads()
    before = set(built.state_dict())
    built.balance(LABELS)
    assert set(built.state_dict()) == before
    with pytest.raises(KneeoaError, match="no labels were given for the supervised level 'findings'"):
        built.balance({"oa": LABELS["oa"], "kl": LABELS["kl"]})
