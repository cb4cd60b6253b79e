"""A run that is cut anywhere ends as one that is not: the same bytes."""

from __future__ import annotations

import json
import logging

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from kneeoa.config.training import Augmentation
from kneeoa.network.model import build
from kneeoa.training import checkpoint, epochs, run
from kneeoa.training.engine import NotFinite
from kneeoa.training.loop import Evaluation
from kneeoa.training.loop import evaluate as evaluate_as_it_is
from kneeoa.training.optimizer import AdamW
from kneeoa.training.run import train
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import TRAINING, job

RESULTS = ("weights.safetensors", "history.parquet", "model.json")
STEPS = 5
"""Twenty cases in batches of four."""
EACH_STEP = TRAINING.model_copy(
    update={"save_every": 0, "epochs": 2, "learning_rate": 0.05, "augmentation": Augmentation(shift=0.2, scale=0.2, noise=0.1)}
)
SELDOM = EACH_STEP.model_copy(update={"save_every": 1000})
"""``EACH_STEP`` without states, which a job that is not cut has no need of."""


class Killed(Exception):
    """Stands for the scheduler."""


def kill_at(epoch, step):
    def on_step(*place):
        if place == (epoch, step):
            raise Killed

    return on_step


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def whole(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    train(**job(files, out, training=SELDOM))
    return out


def cut(files, out, *place, **changes):
    with pytest.raises(Killed):
        train(**job(files, out, **{"training": EACH_STEP, **changes}, on_step=kill_at(*place)))


def same_results(one, other):
    return [name for name in RESULTS if (one / name).read_bytes() != (other / name).read_bytes()] == []


@pytest.mark.parametrize("place", [(1, 1), (1, STEPS), (2, 3), (2, STEPS)])
def test_a_run_cut_between_any_two_steps_ends_as_if_it_had_not_been(files, whole, tmp_path, place):
    cut(files, tmp_path, *place)
    assert (tmp_path / checkpoint.NAME).exists()
    assert not (tmp_path / "weights.safetensors").exists()
    later = []
    train(**job(files, tmp_path, training=SELDOM, on_step=lambda *place: later.append(place)))
    assert later == [(epoch, step) for epoch in (1, 2) for step in range(1, STEPS + 1) if (epoch, step) > place]
    assert same_results(tmp_path, whole)
    assert not (tmp_path / checkpoint.NAME).exists()
    assert json.loads((tmp_path / "run.json").read_text())["resumptions"] == 1


def test_a_run_may_go_on_where_its_images_no_longer_fit_into_memory(files, whole, tmp_path):
    cut(files, tmp_path, 1, 2, training=EACH_STEP.model_copy(update={"data": "resident"}))
    train(**job(files, tmp_path, training=SELDOM.model_copy(update={"data": "streamed"})))
    assert same_results(tmp_path, whole)
    assert json.loads((tmp_path / "run.json").read_text())["resumptions"] == 1


def test_dropout_goes_on_as_it_would_have(files, tmp_path, monkeypatch):
    """The tiny network has none of its own."""
    built = []

    def hooked(spec):
        network = build(spec)
        network.backbone.stem = torch.nn.Sequential(network.backbone.stem, torch.nn.Dropout(0.3))
        built.append(network)
        return network

    monkeypatch.setattr(run, "build", hooked)
    train(**job(files, tmp_path / "whole", training=SELDOM))
    cut(files, tmp_path / "cut", 2, 2)
    train(**job(files, tmp_path / "cut", training=SELDOM))
    assert len(built) == 3
    assert same_results(tmp_path / "cut", tmp_path / "whole")


def test_many_cuts_are_as_none(files, whole, tmp_path):
    for place in [(1, 2), (1, STEPS), (2, 3)]:
        cut(files, tmp_path, *place)
    train(**job(files, tmp_path, training=SELDOM))
    assert same_results(tmp_path, whole)
    content = json.loads((tmp_path / "run.json").read_text())
    assert content["resumptions"] == 3
    assert content["seconds"] > content["training_seconds"] + content["validation_seconds"]  # of all attempts, both


@pytest.mark.parametrize(("kept", "losses"), [("best", [0.1, 0.2]), ("last", None)])
def test_the_kept_weights_survive(files, tmp_path, monkeypatch, kept, losses):
    """With the scripted losses the best epoch lies before the cut."""
    training = EACH_STEP.model_copy(update={"checkpoint": kept})
    if losses:
        coming = iter([*losses, losses[0], *losses[1:]])

        def scripted(*arguments):
            evaluation = evaluate_as_it_is(*arguments)
            return Evaluation({**evaluation.losses, "total": next(coming)}, evaluation.measures)

        monkeypatch.setattr(epochs, "evaluate", scripted)
    train(**job(files, tmp_path / "whole", training=training))
    cut(files, tmp_path / "cut", 2, 3, training=training)
    train(**job(files, tmp_path / "cut", training=training))
    assert same_results(tmp_path / "cut", tmp_path / "whole")
    assert json.loads((tmp_path / "cut" / "run.json").read_text())["best_epoch"] == (1 if losses else 2)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"provenance": {"code": "edited"}}, "code"),
        ({"seed": 9}, "configuration"),
        ({"training": SELDOM.model_copy(update={"epochs": 1})}, "configuration"),
    ],
)
def test_a_state_of_something_else_is_not_used_and_it_says_of_what(files, tmp_path, caplog, change, part):
    cut(files, tmp_path, 1, 2)
    places = []
    with caplog.at_level(logging.WARNING):
        train(**job(files, tmp_path, **{"training": SELDOM, **change}, on_step=lambda *place: places.append(place)))
    assert places[0] == (1, 1)
    assert f"is of another {part}: training starts afresh" in caplog.text


def test_a_state_of_other_data_is_not_used(files, tmp_path, caplog):
    cut(files, tmp_path / "run", 1, 2)
    other = tiny_study.make(tmp_path / "study", unread=1)
    with caplog.at_level(logging.WARNING):
        train(**job(other, tmp_path / "run", training=SELDOM))
    assert "is of another data: training starts afresh" in caplog.text


@pytest.mark.parametrize("harm", ["not a safetensors file", "no state", "cut short"])
def test_a_broken_state_is_not_used(files, whole, tmp_path, caplog, harm):
    state = tmp_path / checkpoint.NAME
    if harm == "no state":
        save_file({"network.a": torch.zeros(1)}, state)
    elif harm == "cut short":
        cut(files, tmp_path, 1, 2)
        state.write_bytes(state.read_bytes()[:-9])
    else:
        state.write_bytes(harm.encode())
    with caplog.at_level(logging.WARNING):
        train(**job(files, tmp_path, training=SELDOM))
    assert "cannot be read" in caplog.text
    assert same_results(tmp_path, whole)


def test_what_a_writer_that_was_killed_has_left_goes_with_the_state(files, tmp_path):
    left = tmp_path / f".{checkpoint.NAME}.abcd1234.ckpt.safetensors"
    left.write_bytes(b"half")
    train(**job(files, tmp_path, training=SELDOM.model_copy(update={"save_every": 1000})))
    assert not left.exists()


def test_states_are_written_no_more_often_than_asked_for(files, tmp_path):
    with pytest.raises(Killed):
        train(**job(files, tmp_path, training=SELDOM, on_step=kill_at(2, 2)))
    assert not (tmp_path / checkpoint.NAME).exists()


def test_a_loss_that_is_not_finite_keeps_the_state_before_it(files, tmp_path, monkeypatch):
    """The bad batch spoils the running statistics of batch normalisation, which must not reach the
    state.
    """
    states = []

    def poisoned(spec):
        network = build(spec)

        def spoil(module, inputs):
            if module.training:
                states.append(None)
            return (inputs[0] * float("nan"), *inputs[1:]) if len(states) == STEPS + 3 else None

        network.backbone.register_forward_pre_hook(spoil)
        return network

    monkeypatch.setattr(run, "build", poisoned)
    with pytest.raises(NotFinite, match=r"the cases \w+/\d+-R-00m, .*learning_rate"):
        train(**job(files, tmp_path, training=SELDOM))
    with safe_open(tmp_path / checkpoint.NAME, framework="pt") as stream:
        state = json.loads(stream.metadata()["state"])
        assert (state["epoch"], state["tally"]["step"]) == (1, 2)  # the third step of epoch 2 failed
        assert all(torch.isfinite(stream.get_tensor(name)).all() for name in stream.keys())  # noqa: SIM118 (not a mapping)
    monkeypatch.setattr(run, "build", build)
    train(**job(files, tmp_path, training=SELDOM))
    assert json.loads((tmp_path / "run.json").read_text())["resumptions"] == 1
    train(**job(files, tmp_path / "whole", training=SELDOM))
    assert same_results(tmp_path, tmp_path / "whole")


def test_weights_that_are_not_finite_do_not_replace_a_state(files, tmp_path, caplog):
    cut(files, tmp_path, 1, 2)
    before = (tmp_path / checkpoint.NAME).read_bytes()
    network = build(tiny_study.spec(tiny_study.DUAL))
    optimiser = AdamW(network.parameters(), 0.0)
    with torch.no_grad():
        next(network.parameters()).fill_(float("inf"))
    assert not checkpoint.save(tmp_path, {}, checkpoint.Progress(), network, optimiser)
    assert "not written" in caplog.text
    assert (tmp_path / checkpoint.NAME).read_bytes() == before


def test_a_smaller_micro_batch_is_remembered(files, tmp_path):
    """After an out-of-memory error a run takes fewer cases at a time; a job that goes on must do so
    too, as batch normalisation sees it.
    """
    cut(files, tmp_path, 1, 2)
    path = tmp_path / checkpoint.NAME
    with safe_open(path, framework="pt") as stream:
        state = json.loads(stream.metadata()["state"])
    save_file(load_file(path), path, {"state": json.dumps(state | {"micro_batch": 2})})
    train(**job(files, tmp_path, training=SELDOM))
    assert json.loads((tmp_path / "run.json").read_text())["micro_batch"] == 2


def test_another_device_is_said(files, tmp_path, caplog):
    cut(files, tmp_path, 1, 2)
    path = tmp_path / checkpoint.NAME
    with safe_open(path, framework="pt") as stream:
        metadata = stream.metadata()
    state = json.loads(metadata["state"])
    state["cost"]["devices"] = ["Another GPU"]
    save_file(load_file(path), path, {"state": json.dumps(state)})
    with caplog.at_level(logging.WARNING):
        train(**job(files, tmp_path, training=SELDOM))
    assert "goes on on cpu after Another GPU" in caplog.text
    assert json.loads((tmp_path / "run.json").read_text())["device"] == "Another GPU, cpu"
