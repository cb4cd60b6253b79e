"""CORN and CORAL: losses worked out by hand, probabilities as differences of cumulative ones, and
scores far beyond saturation.
"""

import math

import pytest
import torch

from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.heads import registry
from kneeoa.heads.losses.coral import CoralHead

KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"))
ORDINAL = ("corn", "coral")


def heads(loss, width=6):
    torch.manual_seed(0)
    return registry.build(Mode(kind="single", levels=("kl",), losses={"kl": loss}), (KL,), width)


def outputs(loss, count=200, scale=3.0):
    """Random outputs as the head can give them: CORAL's fall."""
    drawn = scale * torch.randn(count, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return drawn if loss == "corn" else drawn.sort(dim=1, descending=True).values


def cumulative(loss, z):
    """P(y > k), ``[batch, 4]``, straight from the papers."""
    return torch.sigmoid(z).cumprod(dim=1) if loss == "corn" else torch.sigmoid(z)


@pytest.mark.parametrize(("loss", "parameters"), [("corn", 4 * 7), ("coral", 6 + 4)])
def test_one_output_a_threshold(loss, parameters):
    built = heads(loss)
    assert built(torch.randn(3, 6))["kl"].shape == (3, 4)
    assert sum(each.numel() for each in built.parameters()) == parameters


@pytest.mark.parametrize("loss", ORDINAL)
def test_probabilities_are_differences_of_cumulative_ones(loss):
    z = outputs(loss)
    above = torch.cat([torch.ones(200, 1), cumulative(loss, z), torch.zeros(200, 1)], dim=1)
    probabilities = heads(loss).probabilities({"kl": z})["kl"]
    assert probabilities.dtype == torch.float64
    torch.testing.assert_close(probabilities, above[:, :-1] - above[:, 1:], rtol=0, atol=1e-12)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(200, dtype=torch.float64), rtol=0, atol=1e-12)
    assert (probabilities > 0).all()


@pytest.mark.parametrize("loss", ORDINAL)
def test_class_logits_are_centred_and_their_softmax_is_the_probabilities(loss):
    built, z = heads(loss), outputs(loss)
    logits = built.class_logits({"kl": z})["kl"]
    assert logits.shape == (200, 5)
    torch.testing.assert_close(logits.mean(dim=1), torch.zeros(200, dtype=torch.float64), rtol=0, atol=1e-9)
    torch.testing.assert_close(torch.softmax(logits, dim=1), built.probabilities({"kl": z})["kl"])


@pytest.mark.parametrize("loss", ORDINAL)
@pytest.mark.parametrize("positive", [{2, 3, 4}, {4}, {0}, {1, 3}])
def test_score_is_the_log_odds_of_the_summed_probabilities(loss, positive):
    built, z = heads(loss), outputs(loss)
    p = built.probabilities({"kl": z})["kl"][:, sorted(positive)].sum(dim=1)
    torch.testing.assert_close(built.score({"kl": z}, "kl", positive), torch.logit(p), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("loss", ORDINAL)
@pytest.mark.parametrize("size", [60.0, 300.0, 5000.0])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_scores_and_class_logits_never_saturate(loss, size, sign):
    """In float32 a sigmoid of 60 is 1 and its gradient 0; the log-odds must still be near 60 and
    its gradient of order 1.
    """
    built = heads(loss)
    z = (sign * size + torch.tensor([[1.5, 0.5, -0.5, -1.5]])).requires_grad_()
    score = built.score({"kl": z}, "kl", {2, 3, 4})
    (gradient,) = torch.autograd.grad(score.sum(), z, retain_graph=True)
    assert torch.isfinite(score).all()
    assert sign * score.item() > 0.9 * size
    assert 0.5 < gradient.sum().item() < 5
    classes = built.class_logits({"kl": z})["kl"]
    assert torch.isfinite(classes).all()
    for index in range(5):
        (gradient,) = torch.autograd.grad(classes[0, index], z, retain_graph=True)
        assert torch.isfinite(gradient).all()
        assert gradient.abs().sum() > 0.1


@pytest.mark.parametrize("loss", ORDINAL)
def test_the_log_odds_have_the_gradient_of_their_finite_differences(loss):
    built = heads(loss)
    z = outputs(loss, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda each: built.score({"kl": each}, "kl", {2, 3, 4}), (z,))
    assert torch.autograd.gradcheck(lambda each: built.class_logits({"kl": each})["kl"], (z,))


def test_corn_loss_by_hand_over_the_cases_that_reach_each_threshold():
    z = torch.tensor([[0.3, -1.0, 2.0, 0.5], [1.0, 2.0, -0.5, 0.1], [-2.0, 0.0, 0.0, 0.0], [9.0, 9.0, 9.0, 9.0]])
    y = torch.tensor([1, 4, 0, -1])

    def right(value):
        return math.log1p(math.exp(-value))

    # Case 0 (grade 1) takes part in tasks 0 (passed) and 1 (not); case 1 (grade 4) in all four;
    # case 2 (grade 0) in task 0 alone.
    terms = [right(0.3), right(1.0), right(1.0), right(2.0), right(-0.5), right(0.1), right(2.0)]
    built = heads("corn")
    assert built.terms({"kl": y})["kl"].item() == 7
    assert built.loss({"kl": z}, {"kl": y})["kl"].item() == pytest.approx(sum(terms) / 7, rel=1e-6)


def test_corn_loss_is_the_negative_log_likelihood_of_its_own_probabilities():
    z, y = outputs("corn"), torch.arange(200) % 5
    built = heads("corn")
    p = built.probabilities({"kl": z})["kl"][torch.arange(200), y]
    torch.testing.assert_close(built.loss({"kl": z}, {"kl": y})["kl"] * built.terms({"kl": y})["kl"], -p.log().sum())


def test_coral_loss_by_hand_sums_over_thresholds_and_averages_over_cases():
    z = torch.tensor([[2.0, 1.0, -1.0, -3.0], [0.5, 0.4, 0.3, 0.2], [7.0, 7.0, 7.0, 7.0]])
    y = torch.tensor([2, 0, -1])
    right = [math.log1p(math.exp(-value)) for value in (2.0, 1.0, 1.0, 3.0, -0.5, -0.4, -0.3, -0.2)]
    built = heads("coral")
    assert built.terms({"kl": y})["kl"].item() == 2
    assert built.loss({"kl": z}, {"kl": y})["kl"].item() == pytest.approx(sum(right) / 2, rel=1e-6)


def test_coral_begins_at_evenly_spaced_biases_and_keeps_them_in_order():
    head = CoralHead(6, 4)
    torch.testing.assert_close(head.biases.detach(), torch.tensor([1.0, 0.75, 0.5, 0.25]))
    built = heads("coral")
    optimiser = torch.optim.AdamW(built.parameters(), lr=0.5)
    x = torch.randn(64, 6)
    for _ in range(60):  # labels in the wrong order press the biases against each other
        labels = torch.randint(0, 2, (64,)) * 4
        optimiser.zero_grad()
        built.loss(built(x), {"kl": labels})["total"].backward()
        optimiser.step()
    assert (built.head.biases.diff() <= 0).all()
    probabilities = built.probabilities(built(x))["kl"]
    assert (probabilities >= 0).all()
    assert torch.isfinite(built.class_logits(built(x))["kl"]).all()
    assert probabilities[:, 1:4].max() < 0.05


def test_coral_outputs_keep_the_precision_of_their_biases_under_autocast():
    head = CoralHead(6, 4)
    with torch.autocast("cpu", torch.bfloat16):
        z = head(torch.randn(3, 6))
    assert z.dtype == torch.float32
    torch.testing.assert_close(z[:, :1] - z, head.biases.detach()[0] - head.biases.detach().expand(3, 4))


@pytest.mark.parametrize("loss", ORDINAL)
def test_both_learn_an_ordered_difference(loss):
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 5, (400,), generator=generator)
    x = torch.randn(400, 6, generator=generator)
    x[:, 0] += 3.0 * y
    built = heads(loss)
    optimiser = torch.optim.AdamW(built.parameters(), lr=0.1)
    for _ in range(400):
        optimiser.zero_grad()
        built.loss(built(x), {"kl": y})["total"].backward()
        optimiser.step()
    called = built.probabilities(built(x))["kl"].argmax(dim=1)
    assert (called == y).float().mean() > 0.85
    assert (called - y).abs().max() <= 1
