"""Training as the plug-in module was published with: momentum, its schedule, crops and dropped
micro-batches, through a whole run.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.config.training import Augmentation, Training
from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError
from kneeoa.heads import registry as modes
from kneeoa.inference.predict import predict
from kneeoa.inference.trained_runs import load_ensemble, open_runs
from kneeoa.inference.untrained import embed_untrained
from kneeoa.network.model import load, read_spec
from kneeoa.network.network import Network
from kneeoa.network.spec import ModelSpec, TrainedOn
from kneeoa.tables.runs import PREDICTIONS, embeddings
from kneeoa.training import checkpoint
from kneeoa.training.engine import Engine
from kneeoa.training.optimizer import epoch_rates, make_optimiser
from kneeoa.training.run import train
from tests.unit.training import tiny_study
from tests.unit.training.test_resuming import Killed, kill_at, same_results
from tests.unit.training.tiny_study import DUAL, LEVELS, SHAPE, SINGLE_KL, job

CROP = (6, 12, 14)
FORM = TrainedOn(view="sag_dess", canonical=View(shape=SHAPE, spacing=(1.0, 1.0, 1.0)), left_knees="mirrored")
SPEC = tiny_study.spec(DUAL).model_copy(update={"crop": CROP, "trained_on": FORM})
PUBLISHED = Training(
    epochs=3, batch=8, micro_batch=4, optimiser="sgd", learning_rate=0.01, schedule="pim", warmup_micro_batches=1, leftover="drop",
    checkpoint="last", crop=CROP, mirror=0.5, augmentation=Augmentation(blur=0.3, sharpness=0.3), predict_batch=8, save_every=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def whole(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    train(**job(files, out, spec=SPEC, training=PUBLISHED))
    return out


@pytest.mark.parametrize("place", [(1, 1), (2, 2)])
def test_a_run_that_is_cut_ends_as_if_it_had_not_been(files, whole, tmp_path, place):
    with pytest.raises(Killed):
        train(**job(files, tmp_path, spec=SPEC, training=PUBLISHED, on_step=kill_at(*place)))
    kept = load_file(tmp_path / checkpoint.NAME)
    assert any(name.startswith("optimiser.") and name.endswith(".momentum_buffer") for name in kept)
    train(**job(files, tmp_path, spec=SPEC, training=PUBLISHED))
    assert same_results(tmp_path, whole)
    assert json.loads((tmp_path / "run.json").read_text())["resumptions"] == 1


def test_micro_batches_that_complete_no_batch_are_left_out(files, whole):
    """Twenty cases are five micro-batches, of which four make two batches."""
    record = json.loads((whole / "run.json").read_text())
    assert record["data"]["train"]["cases"] == 20
    steps = []
    train(**job(files, whole / "again", spec=SPEC, training=PUBLISHED, on_step=lambda *place: steps.append(place)))
    assert steps == [(epoch, step) for epoch in (1, 2, 3) for step in (1, 2)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"warmup_micro_batches": 2},
            "Split 'train': 'training.warmup_micro_batches' is 2, more than a tenth of the 15 micro-batches of 3",
        ),
        ({"batch": 48, "warmup_micro_batches": 1}, "Split 'train': 'training.leftover' is drop, but 20 training cases fill no batch of 48"),
    ],
)
def test_too_few_cases_end_a_run_before_it_begins(files, tmp_path, changes, message):
    with pytest.raises(KneeoaError, match=message):
        train(**job(files, tmp_path, spec=SPEC, training=PUBLISHED.model_copy(update=changes)))


def test_images_that_cannot_be_mirrored_end_a_run_with_a_sentence(files, tmp_path):
    with pytest.raises(KneeoaError, match=r"'training\.mirror' needs the view"):
        train(**job(files, tmp_path, spec=SPEC.model_copy(update={"trained_on": None}), training=PUBLISHED))


def outputs(files, run, spec, tmp_path, name="a"):
    out = {f"out_{kind}": tmp_path / f"{name}-{kind}" for kind in ("predictions", "embeddings", "temperature")}
    predict(study="tiny", arm="a", seed=1, run=run, **files.arguments(), levels=LEVELS, batch=8, threads=1, **out)
    return PREDICTIONS.read(out["out_predictions"]), embeddings(32).read(out["out_embeddings"])


def test_every_stage_after_training_takes_the_centre(files, whole, tmp_path):
    spec = read_spec(whole)
    assert (spec.shape, spec.crop, spec.taken) == (SHAPE, CROP, CROP)
    predicted, embedded = outputs(files, whole, spec, tmp_path)
    network, _ = load(whole)
    images = torch.from_numpy(np.concatenate([np.load(path) for path in files.arrays]).astype(np.float32))[:, None]
    centre = images[:, :, 1:7, 2:14, 1:15]
    with torch.inference_mode():
        at_centre, as_given = network(centre), network(images)
    assert torch.equal(at_centre.embedding, as_given.embedding)
    assert torch.equal(at_centre.logits["kl"], as_given.logits["kl"])
    changed = images.clone()
    changed[:, :, 1:7, 2:14, 1:15] = 0
    with torch.inference_mode():
        assert not torch.allclose(network(changed).embedding, at_centre.embedding)
        outside = network(images - changed).embedding  # what lies outside is zero there, and makes no difference
    assert torch.equal(outside, at_centre.embedding)
    probabilities = np.sort(np.stack(predicted.query("level == head == 'kl'")["probabilities"]), axis=0)
    expected = np.sort(at_centre.logits["kl"].double().softmax(dim=1).numpy(), axis=0)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-4, atol=1e-6)
    assert len(embedded) == len(images)


def test_outside_its_study_a_run_takes_the_centre_too(files, whole):
    images = np.concatenate([np.load(path) for path in files.arrays])
    framed = np.zeros_like(images)
    framed[:, 1:7, 2:14, 1:15] = images[:, 1:7, 2:14, 1:15]
    panel = load_ensemble(open_runs([whole]), "mean", (), False, torch.device("cpu"))
    given, cut = (panel.predict({SHAPE: each}, 8, torch.device("cpu"))[0] for each in (images, framed))
    for (level, head, probabilities), (_, _, others) in zip(given, cut, strict=True):
        np.testing.assert_array_equal(probabilities, others, err_msg=f"{level} {head}")
    assert not np.allclose(given[-1][2], panel.predict({SHAPE: images - framed}, 8, torch.device("cpu"))[0][-1][2])


def test_an_untrained_network_takes_the_centre_too(files, tmp_path):
    inputs = {name: paths for name, paths in files.arguments().items() if name != "labels"}
    values = []
    for number, spec in enumerate((SPEC, tiny_study.spec(DUAL))):
        out = tmp_path / f"{number}.parquet"
        embed_untrained(study="tiny", name="u", seed=1, spec=spec, **inputs, batch=8, threads=1, out=out)
        values.append(np.stack(embeddings(32).read(out)["embedding"]))
    assert not np.allclose(*values)


def test_a_crop_that_is_no_part_of_the_image_is_no_network():
    for crop in ((6, 12), (9, 12, 12)):
        with pytest.raises(ValueError, match="'crop'"):
            ModelSpec.model_validate(SPEC.model_dump() | {"crop": crop})
    assert "crop" not in tiny_study.spec(DUAL).to_json()
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC


class Flat(Backbone):
    """A convolution with batch normalisation, so that the size of micro-batches matters."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding_width, self.map_widths = 6, (6,)
        self.block = nn.Sequential(nn.Conv3d(1, 6, 3, bias=False), nn.BatchNorm3d(6), nn.ReLU())

    def forward(self, image: torch.Tensor) -> Features:
        x = self.block(image)
        return Features([x], x.mean(dim=(2, 3, 4)))


def flat() -> Network:
    torch.manual_seed(0)
    backbone = Flat()
    return Network(backbone, modes.build(SINGLE_KL, LEVELS, backbone.embedding_width), LEVELS).train()


def published_loop(network: Network, loader: list[tuple[torch.Tensor, torch.Tensor]], rates: list[float], every: int) -> None:
    """The published loop, written down by itself: the mean loss of each micro-batch by the number
    of them, a step after so many.
    """
    optimiser = torch.optim.SGD(network.parameters(), lr=1.0, nesterov=True, momentum=0.9, weight_decay=5e-4)
    for number, (images, labels) in enumerate(loader):
        optimiser.param_groups[0]["lr"] = rates[number]
        (functional.cross_entropy(network(images).logits["kl"], labels) / every).backward()
        if (number + 1) % every == 0:
            optimiser.step()
            optimiser.zero_grad()


def test_steps_are_those_of_the_published_loop():
    training = Training(
        optimiser="sgd", learning_rate=0.1, weight_decay=5e-4, schedule="pim", batch=8, micro_batch=4, warmup_micro_batches=2, epochs=1
    )
    images, labels = torch.randn(32, 1, *SHAPE).half(), torch.randint(0, 5, (32,))
    rates = [1e-9, 0.1, *(1e-12 + (0.1 - 1e-12) * (1 + np.cos(np.pi * number / 8)) / 2 for number in range(6))]
    theirs, ours = flat(), flat()
    published_loop(theirs, [(images[start : start + 4].float(), labels[start : start + 4]) for start in range(0, 32, 4)], rates, 2)
    engine, optimiser = Engine(ours, training, torch.device("cpu")), make_optimiser(ours.parameters(), training)
    each: Any = epoch_rates(training, 32, 1, 4)
    for step, rate in enumerate(each):
        batch = slice(8 * step, 8 * step + 8)
        optimiser.rate = rate
        engine.gradients(images[batch], {"kl": labels[batch]}, list(range(8)), 0, lambda some, _: some.float())
        optimiser.step()
    for mine, its in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        torch.testing.assert_close(mine, its, rtol=1e-4, atol=1e-6)
