"""Protocols: what as-published fills in, what contradicts it, and how an arm chooses another one
than its study.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from kneeoa.config.study import load
from kneeoa.config.training import PUBLISHED, Augmentation, Training
from kneeoa.errors import KneeoaError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def study() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "tests" / "small.yaml").read_text())


def test_the_default_protocol_is_what_we_would_publish() -> None:
    default = Training()
    assert (default.protocol, default.schedule, default.checkpoint) == ("validated", "cosine", "best")
    assert default.warmup > 0
    assert default.augmentation != Augmentation()
    assert Training.model_validate({"augmentation": {}}).augmentation == Augmentation()


def test_as_published_is_paper_a() -> None:
    training = Training.model_validate({"protocol": "as-published"})
    assert (training.epochs, training.batch, training.learning_rate, training.weight_decay) == (100, 2, 1e-4, 1e-4)
    assert (training.schedule, training.checkpoint, training.precision, training.class_weights) == ("constant", "last", "float32", "none")
    assert training.augmentation == Augmentation()


def test_what_is_written_down_is_read_again() -> None:
    for given in ({}, {"epochs": 3}, {"protocol": "as-published"}):
        training = Training.model_validate(given)
        assert Training.model_validate(training.model_dump(mode="json")) == training
        assert training.with_changes({}) == training


DIFFERENT: dict[str, Any] = {
    "epochs": 50, "batch": 4, "learning_rate": 1e-3, "weight_decay": 0.0, "schedule": "cosine", "checkpoint": "best",
    "augmentation": {"shift": 0.1}, "precision": "bfloat16", "class_weights": "balanced",
    "clip": 1.0, "micro_batch": 1,
}  # fmt: skip


@pytest.mark.parametrize("key", PUBLISHED)
def test_every_key_that_the_protocol_fixes_may_be_repeated_but_not_changed(key: str) -> None:
    assert Training.model_validate({"protocol": "as-published", key: PUBLISHED[key]}) == Training(protocol="as-published")
    with pytest.raises(ValidationError, match=f"protocol 'as-published' means '{key}'.*leave it out, or choose the protocol 'validated'"):
        Training.model_validate({"protocol": "as-published", key: DIFFERENT[key]})


def test_a_contradiction_is_one_sentence(study: dict[str, Any]) -> None:
    study["training"] = {"protocol": "as-published", "epochs": 50, "schedule": "cosine", "augmentation": {"noise": 0.1}}
    with pytest.raises(KneeoaError) as caught:
        load(study)
    assert str(caught.value).splitlines()[1:] == [
        "  - protocol 'as-published' means 'epochs' 100, not 50 and 'schedule' constant, not cosine and 'augmentation' none, not "
        "{'noise': 0.1}; leave them out, or choose the protocol 'validated' (in 'training')"
    ]


def test_keys_that_no_protocol_fixes_are_free_beside_it() -> None:
    assert Training.model_validate({"protocol": "as-published", "predict_batch": 3}).predict_batch == 3


def test_an_arm_may_follow_another_protocol_than_its_study(study: dict[str, Any]) -> None:
    study["training"] = {"epochs": 2, "batch": 8, "predict_batch": 5}
    study["arms"][1]["training"] = {"protocol": "as-published"}
    settings = {arm.name: arm.training for arm in load(study).arms_table()}
    assert (settings["resnet3d-dual"].protocol, settings["resnet3d-dual"].epochs) == ("validated", 2)
    assert settings["m3t-dual"] == Training(protocol="as-published", predict_batch=5)
    other = copy.deepcopy(study)
    other["training"] = {"protocol": "as-published"}
    other["arms"][1]["training"] = {"protocol": "validated", "epochs": 7}
    settings = {arm.name: arm.training for arm in load(other).arms_table()}
    assert settings["resnet3d-dual"] == Training(protocol="as-published")
    assert settings["m3t-dual"] == Training(epochs=7)
    other["arms"][1]["training"] = {"epochs": 7}
    with pytest.raises(KneeoaError, match=r"in 'arms\[\]\.training', protocol 'as-published' means 'epochs' 100, not 7"):
        load(other)


def test_a_loss_that_does_not_suit_its_level_is_told(study: dict[str, Any]) -> None:
    study["modes"]["dual"]["losses"] = {"kl": "corn"}
    assert load(study).modes["dual"].losses == {"kl": "corn"}
    study["modes"]["dual"]["losses"] = {"oa": "coral"}
    with pytest.raises(KneeoaError, match=r"'modes\.dual': 'losses\.oa' is 'coral', but level 'oa' is binary, which takes cross_entropy"):
        load(study)
    study["modes"]["dual"]["losses"] = {"kl": "focal"}
    with pytest.raises(KneeoaError, match=r"'modes\.dual\.losses\.kl' is 'focal'; allowed are .*'corn'"):
        load(study)
