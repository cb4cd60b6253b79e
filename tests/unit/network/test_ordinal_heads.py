"""Networks with ordinal losses: everything that is asked of a head works as with softmax, and files
keep it.
"""

import pytest
import torch

from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.level_derivation import derive_probabilities
from kneeoa.network.model import ModelSpec, build, load, save

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
STAGE = Level(name="stage", kind="ordinal", classes=("none", "mild", "severe"), parent="oa", parent_class=(0, 1, 1))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="stage", parent_class=(0, 0, 1, 1, 2))
CASES = [
    ("single", ["kl"], {"kl": "corn"}),
    ("single", ["kl"], {"kl": "coral"}),
    ("dual", ["oa", "stage", "kl"], {"kl": "corn", "stage": "coral"}),
    ("dual_stacked", ["oa", "stage", "kl"], {"kl": "coral", "stage": "corn"}),
]


def spec(kind, names, losses):
    mode = Mode(kind=kind, levels=names, losses=losses)
    return ModelSpec(backbone="resnet3d", options={"width": 4}, dimensions=3, shape=(16, 16, 16), mode=mode, levels=(OA, STAGE, KL))


def network(*choices):
    torch.manual_seed(0)
    return build(spec(*choices))


def images(count=4):
    return torch.randn(count, 1, 16, 16, 16, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize(("kind", "names", "losses"), CASES)
def test_every_reading_has_probabilities_logits_and_scores(kind, names, losses):
    built = network(kind, names, losses).eval()
    with torch.no_grad():
        output = built(images())
        probabilities, logits = built.probabilities(output.logits), built.class_logits(output.logits)
        score = built.target_score(output, "oa", "kl")
        peak = built.target_score(output, "kl", "kl")
    assert output.logits["kl"].shape == (4, 4)
    assert set(probabilities) == set(logits) == set(built.readings)
    for pair, values in probabilities.items():
        assert values.shape == (4, len(built.levels[pair[0]].classes))
        assert (values > 0).all()
        torch.testing.assert_close(values.sum(dim=1), torch.ones(4, dtype=torch.float64))
        torch.testing.assert_close(values, torch.softmax(logits[pair].double(), dim=1), rtol=1e-5, atol=1e-7)
    fine = probabilities["kl", "kl"].numpy()
    torch.testing.assert_close(probabilities["stage", "kl"], torch.from_numpy(derive_probabilities(fine, (0, 0, 1, 1, 2), 3)))
    torch.testing.assert_close(probabilities["oa", "kl"], torch.from_numpy(derive_probabilities(fine, (0, 0, 1, 1, 1), 2)))
    torch.testing.assert_close(torch.sigmoid(score.double()), probabilities["oa", "kl"][:, 1], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(peak, logits["kl", "kl"].max(dim=1).values)


@pytest.mark.parametrize(("kind", "names", "losses"), CASES)
def test_scores_have_a_gradient_by_the_image_even_where_the_network_is_sure(kind, names, losses):
    built = network(kind, names, losses).eval()
    with torch.no_grad():
        for parameter in built.heads.parameters():
            parameter.mul_(100)
    image = images(2).requires_grad_()
    output = built(image)
    for scores in (built.target_score(output, "oa", "kl"), built.class_logits(output.logits)["kl", "kl"][:, 4]):
        (gradient,) = torch.autograd.grad(scores.sum(), image, retain_graph=True)
        assert torch.isfinite(gradient).all()
        assert (gradient.flatten(1).abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize(("kind", "names", "losses"), CASES)
def test_files_keep_the_loss_and_the_weights(tmp_path, kind, names, losses):
    trained = network(kind, names, losses)
    labels = {"oa": torch.tensor([0, 0, 1, 1]), "stage": torch.tensor([0, 0, 1, 2]), "kl": torch.tensor([0, 1, 3, 4])}
    trained.heads.balance(labels)  # weights of classes are of training alone
    optimiser = torch.optim.AdamW(trained.parameters(), lr=1e-3, fused=True)
    trained.heads.loss(trained(images()).logits, labels)["total"].backward()
    optimiser.step()
    save(trained, spec(kind, names, losses), tmp_path)
    loaded, description = load(tmp_path)
    assert description.mode.losses == losses
    assert loaded.heads.class_weights == {}
    with torch.no_grad():
        before, after = trained.eval()(images()), loaded(images())
    assert all(torch.equal(before.logits[name], after.logits[name]) for name in names)


def test_a_description_from_before_there_were_losses_is_read(tmp_path):
    old = spec("dual", ["oa", "kl"], {}).to_json()
    del old["mode"]["losses"]
    assert ModelSpec.from_json(old) == spec("dual", ["oa", "kl"], {})
