"""Protocols: what they fill in, what contradicts them, and how an arm chooses another one than its
study; optimisers and their keys; crops, schedules and numbers of cases that cannot be.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from kneeoa.config.factors import arms_table
from kneeoa.config.study import load
from kneeoa.config.training import OPTIMISER_KEYS, PROTOCOLS, VALIDATED, Augmentation, Training
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


def test_pim_published_is_the_published_training_of_the_plug_in() -> None:
    training = Training.model_validate({"protocol": "pim-published"})
    assert (training.epochs, training.batch, training.micro_batch, training.learning_rate, training.weight_decay) == (
        50,
        32,
        16,
        5e-4,
        5e-4,
    )
    assert (training.optimiser, training.optimiser_settings()) == ("sgd", {"momentum": 0.9, "nesterov": True})
    assert (training.schedule, training.warmup_micro_batches, training.leftover, training.checkpoint) == ("pim", 800, "drop", "last")
    assert (training.crop, training.augmentation, training.mirror) == ((384, 384), Augmentation(blur=0.1, sharpness=0.1), 0)


def test_the_mirror_images_of_the_published_training_may_be_asked_for() -> None:
    assert Training.model_validate({"protocol": "pim-published", "mirror": 0.5}).mirror == 0.5


@pytest.mark.parametrize("given", [{}, {"epochs": 3}, {"optimiser": "sgd"}, {"crop": [5, 6]}, *({"protocol": name} for name in PROTOCOLS)])
def test_what_is_written_down_is_read_again(given: dict[str, Any]) -> None:
    training = Training.model_validate(given)
    assert Training.model_validate(training.model_dump(mode="json")) == training
    assert training.with_changes({}) == training


DIFFERENT: dict[str, Any] = {
    "epochs": 51, "batch": 4, "learning_rate": 1e-3, "weight_decay": 0.0, "schedule": "cosine", "checkpoint": "best",
    "augmentation": {"shift": 0.1}, "class_weights": "balanced", "clip": 1.0, "micro_batch": 1, "betas": [0.8, 0.9], "momentum": 0.5,
    "nesterov": False, "warmup_micro_batches": 10, "crop": [8, 8], "mirror": 0.5,
}  # fmt: skip
OTHER = {"optimiser": ("adamw", "sgd"), "leftover": ("keep", "drop"), "precision": ("float32", "bfloat16")}


@pytest.mark.parametrize(("protocol", "key"), [(name, key) for name, fixed in PROTOCOLS.items() for key in fixed])
def test_every_key_that_a_protocol_fixes_may_be_repeated_but_not_changed(protocol: str, key: str) -> None:
    fixed = PROTOCOLS[protocol]
    assert Training.model_validate({"protocol": protocol, key: fixed[key]}) == Training(protocol=protocol)
    other = DIFFERENT[key] if key in DIFFERENT else next(value for value in OTHER[key] if value != fixed[key])
    with pytest.raises(ValidationError, match=f"protocol '{protocol}' means '{key}'.*leave it out, or choose the protocol 'validated'"):
        Training.model_validate({"protocol": protocol, key: other})


@pytest.mark.parametrize(("optimiser", "key"), [(name, key) for name, keys in OPTIMISER_KEYS.items() for key in keys])
def test_a_key_of_another_optimiser_is_refused(optimiser: str, key: str) -> None:
    other = next(name for name in OPTIMISER_KEYS if name != optimiser)
    value = OPTIMISER_KEYS[optimiser][key]
    assert Training.model_validate({"optimiser": optimiser, key: value}).optimiser_settings()[key] == value
    with pytest.raises(ValidationError, match=f"'{key}' is a key of the optimiser '{optimiser}', but 'optimiser' is '{other}'"):
        Training.model_validate({"optimiser": other, key: value})


def test_nesterov_needs_momentum() -> None:
    assert Training(optimiser="sgd", momentum=0, nesterov=False).optimiser_settings() == {"momentum": 0, "nesterov": False}
    with pytest.raises(ValidationError, match="'momentum' is 0, and Nesterov's momentum needs some"):
        Training(optimiser="sgd", momentum=0)


def test_an_arm_with_another_optimiser_inherits_no_key_of_the_studys() -> None:
    study = Training(optimiser="sgd", momentum=0.5, epochs=3)
    assert study.with_changes({"optimiser": "adamw"}) == Training(epochs=3)
    assert study.with_changes({"nesterov": False}) == Training(optimiser="sgd", momentum=0.5, nesterov=False, epochs=3)


def test_what_is_not_asked_for_is_not_in_the_settings_of_a_run() -> None:
    """Settings of finished runs, recorded before there were such keys, stay what they are."""
    assert not {"optimiser", "betas", "momentum", "nesterov", "crop", "mirror", "leftover"} & set(Training().result_settings())
    assert set(Training().result_settings()["augmentation"]) == {"shift", "scale", "noise", "rotation", "zoom", "gamma"}


def test_arms_that_differ_in_an_optimiser_can_be_compared(study: dict[str, Any]) -> None:
    study["arms"][1]["training"] = {"optimiser": "sgd", "momentum": 0.5, "crop": [16, 16, 16]}
    table = arms_table(load(study))
    assert {factors["training.optimiser"] for factors in table.values()} == {"adamw", "sgd"}
    assert {factors["training.momentum"] for factors in table.values()} == {"none", "0.5"}
    assert {factors["training.crop"] for factors in table.values()} == {"none", "16+16+16"}


@pytest.mark.parametrize("settings", [{"schedule": "pim"}, {"leftover": "drop"}])
def test_micro_batches_that_are_counted_must_divide_the_batch(settings: dict[str, Any]) -> None:
    assert Training(batch=8, micro_batch=4, **settings).micro_batches_of_batch == 2
    assert Training(batch=8, **settings).micro_batches_of_batch == 1
    with pytest.raises(ValidationError, match=r"counts micro-batches, but 'micro_batch' \(3\) does not divide 'batch' \(8\)"):
        Training(batch=8, micro_batch=3, **settings)


def test_too_long_a_warm_up_is_refused_with_the_numbers() -> None:
    training = Training(schedule="pim", batch=32, micro_batch=16, epochs=50)
    training.check_cases(2545)  # 160 micro-batches an epoch, 8,000 in all
    with pytest.raises(
        ValueError, match=r"is 800, more than a tenth of the 7,950 micro-batches of 50 epochs of 2,544 training cases, 16 at a"
    ):
        training.check_cases(2544)


def test_too_few_cases_for_a_batch_are_refused_where_the_rest_is_dropped() -> None:
    training = Training(leftover="drop", batch=32, micro_batch=16)
    training.check_cases(17)
    with pytest.raises(ValueError, match=r"'training\.leftover' is drop, but 16 training cases fill no batch of 32"):
        training.check_cases(16)


def test_a_warm_up_that_no_phantom_is_large_enough_for_is_refused_at_parse(study: dict[str, Any]) -> None:
    study["training"] = {"schedule": "pim", "batch": 8, "micro_batch": 4}
    with pytest.raises(KneeoaError, match=r"arm 'resnet3d-single-oa': 'training.warmup_micro_batches' is 800, more than a tenth of the"):
        load(study)
    study["training"]["warmup_micro_batches"] = 5
    load(study)


@pytest.mark.parametrize(
    ("crop", "message"),
    [
        ([16, 16], r"'crop' \[16, 16\] has 2 axes, but the images have 3"),
        ([16, 16, 64], r"'crop' \[16, 16, 64\] is larger than the images, which are \["),
        ([8, 8, 1], r"needs at least \d+ voxels along each axis, not \[8, 8, 1\]"),
    ],
)
def test_a_crop_that_cannot_be_is_refused_with_the_numbers(study: dict[str, Any], crop: list[int], message: str) -> None:
    study["training"]["crop"] = crop
    with pytest.raises(KneeoaError, match=message):
        load(study)


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


def test_images_without_a_left_and_a_right_side_are_not_mirrored() -> None:
    study = yaml.safe_load((ROOT / "workflow" / "studies" / "plugin.yaml").read_text())
    study["training"]["mirror"] = 0.5
    load(study)
    study["views"]["pa"]["projection"] = "lateral"
    with pytest.raises(KneeoaError, match=r"arm 'resnet50': 'training.mirror' names 'left_right', but a view of the study has only"):
        load(study)


def test_a_protocol_for_pictures_is_refused_for_volumes(study: dict[str, Any]) -> None:
    study["training"] = {"protocol": "pim-published"}
    with pytest.raises(KneeoaError, match=r"'crop' \[384, 384\] has 2 axes, but the images have 3"):
        load(study)


def test_no_protocol_leaves_anything_to_one_that_is_chosen_instead() -> None:
    for name in PROTOCOLS:
        for other in PROTOCOLS:
            assert Training(protocol=name).with_changes({"protocol": other}) == Training(protocol=other)
    assert PROTOCOLS[VALIDATED] == {}


def test_a_loss_that_does_not_suit_its_level_is_told(study: dict[str, Any]) -> None:
    study["modes"]["dual"]["losses"] = {"kl": "corn"}
    assert load(study).modes["dual"].losses == {"kl": "corn"}
    study["modes"]["dual"]["losses"] = {"oa": "coral"}
    with pytest.raises(KneeoaError, match=r"'modes\.dual': 'losses\.oa' is 'coral', but level 'oa' is binary, which takes cross_entropy"):
        load(study)
    study["modes"]["dual"]["losses"] = {"kl": "focal"}
    with pytest.raises(KneeoaError, match=r"'modes\.dual\.losses\.kl' is 'focal'; allowed are .*'corn'"):
        load(study)
