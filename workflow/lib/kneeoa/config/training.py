"""Section of training, and its protocols: named sets of settings."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from kneeoa.config.section import Section

INDIFFERENT = ("save_every", "tensorboard", "data", "recompute")
"""Keys of training that change no result: saving, logging, and memory for data and activations."""

VALIDATED = "validated"
AS_PUBLISHED = "as-published"

PUBLISHED: dict[str, Any] = {
    "epochs": 100,
    "batch": 2,
    "learning_rate": 1e-4,
    "weight_decay": 1e-4,
    "schedule": "constant",
    "checkpoint": "last",
    "augmentation": {},
    "precision": "float32",
    "class_weights": "none",
    "clip": 0.0,
    "micro_batch": None,
}
"""Settings of paper A (arXiv 2605.00718): AdamW, a constant rate, no augmentation, nothing chosen
on validation cases.
"""


def fill_protocol(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Add the settings that the protocol fixes and that are not given; given ones stay, and are
    checked afterwards.
    """
    fixed = PUBLISHED if settings.get("protocol") == AS_PUBLISHED else {}
    return {**fixed, **settings}


def contradictions(given: Mapping[str, Any], published: Mapping[str, Any]) -> str:
    """A sentence about the keys whose values differ from paper A's; empty where none does."""
    keys = [key for key in PUBLISHED if given[key] != published[key]]
    if not keys:
        return ""
    differences = " and ".join(f"'{key}' {_value_shown(published[key])}, not {_value_shown(given[key])}" for key in keys)
    them = "it" if len(keys) == 1 else "them"
    return f"protocol '{AS_PUBLISHED}' means {differences}; leave {them} out, or choose the protocol '{VALIDATED}'"


def _value_shown(value: Any) -> str:
    """Format a value as in a configuration; of a section only the keys that are not zero."""
    if isinstance(value, Mapping):
        return str({key: entry for key, entry in value.items() if entry}) if any(value.values()) else "none"
    return str(value)


class Augmentation(Section):
    """Random changes of training images. With all zero there are none (paper A)."""

    shift: float = Field(default=0.0, ge=0, le=0.25)
    """Largest translation, as a share of each axis."""
    scale: float = Field(default=0.0, ge=0, lt=0.5)
    """Largest relative change of the intensity scale."""
    noise: float = Field(default=0.0, ge=0)
    """Standard deviation of added Gaussian noise, in standard deviations of the image."""
    rotation: float = Field(default=0.0, ge=0, le=45)
    """Largest rotation of the voxel grid in degrees: about each axis of a volume, in the plane of a
    radiograph.
    """
    zoom: float = Field(default=0.0, ge=0, lt=0.5)
    """Largest relative change of size. 0.1 enlarges or shrinks by up to a factor of 1.1."""
    gamma: float = Field(default=0.0, ge=0, le=1)
    """Largest relative change of the exponent of gamma. 0.3 is from 1/1.3 to 1.3."""


class Training(Section):
    """Training of a run."""

    protocol: Literal["validated", "as-published"] = "validated"
    """validated: cosine schedule with warm-up, augmentation, and the epoch chosen on validation
    cases; any key may be changed. as-published: exactly paper A's settings, which no other key may
    contradict. See docs/training.md.
    """
    epochs: PositiveInt = 100
    """Number of passes over the training cases."""
    batch: PositiveInt = 2
    """Number of cases per step."""
    learning_rate: PositiveFloat = 1e-4
    """Peak learning rate of AdamW."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """Decoupled weight decay of AdamW."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of all steps over which the learning rate rises linearly, before the cosine decay.
    Ignored for constant.
    """
    schedule: Literal["cosine", "constant"] = "cosine"
    """Schedule of the learning rate."""
    checkpoint: Literal["best", "last"] = "best"
    """best: the epoch with the lowest validation loss. last: the final epoch (paper A)."""
    augmentation: Augmentation = Augmentation(shift=0.04, scale=0.1, noise=0.05)
    """Random changes of training images. {}: none. Keys that are left out of a given section are
    zero.
    """
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: every loss weights a class by its inverse frequency among the training cases; the
    mean weight over these is 1.
    """
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16: autocast on a GPU. Ignored on a CPU."""
    clip: float = Field(default=0.0, ge=0)
    """Largest norm of a step's whole gradient, to which a larger one is scaled. 0: no clipping."""
    micro_batch: PositiveInt | None = None
    """Number of cases at a time on the device, where a whole batch does not fit. The batch's loss
    stays the same, but batch normalisation uses the statistics of a micro-batch. Null: the whole
    batch; after an out-of-memory error half as many, and so on.
    """
    recompute: bool = False
    """Drop each stage's activations and compute them again for the gradient. This needs far less
    memory and about a third more time. Changes no result.
    """
    compile: bool = False
    """Compile the backbone by torch.compile: minutes at the start, then faster steps on a GPU.
    Where that fails, training goes on without it.
    """
    data: Literal["auto", "resident", "streamed"] = "auto"
    """resident: images are kept in memory (on a GPU, the device's). streamed: background threads
    read them from their shards. auto: resident where they fit into 30 % of the free memory. Changes
    no result.
    """
    predict_batch: PositiveInt = 8
    """Number of cases per step when predicting and explaining."""
    save_every: NonNegativeInt = 300
    """Seconds between two saves of an unfinished run's state, from which a killed job resumes. 0:
    after every step. Changes no result.
    """
    tensorboard: bool = False
    """Also write learning curves as TensorBoard event files into the run's folder. This needs the
    package tensorboard. Changes no result.
    """

    @field_validator("tensorboard")
    @classmethod
    def _installed(cls, enabled: bool) -> bool:
        if enabled and find_spec("tensorboard") is None:
            raise ValueError("the package tensorboard is not installed; install it (pip install tensorboard), or leave 'tensorboard' out")
        return enabled

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, settings: Any) -> Any:
        return fill_protocol(settings) if isinstance(settings, Mapping) else settings

    @model_validator(mode="after")
    def _as_published(self) -> Self:
        if self.protocol == AS_PUBLISHED:
            published = Training.model_validate({**PUBLISHED, "protocol": "validated"})
            message = contradictions(self.model_dump(), published.model_dump())
            if message:
                raise ValueError(message)
        return self

    def result_settings(self) -> dict[str, Any]:
        """The settings that decide a run's result, as plain values: all but
        :data:`INDIFFERENT`.
        """
        return self.model_dump(mode="json", exclude=set(INDIFFERENT))

    def with_changes(self, changes: Mapping[str, Any]) -> Training:
        """These settings with an arm's changes; an arm with another protocol inherits none of the
        keys that a protocol fixes.

        Raises:
            ValidationError: the changes are wrong, or contradict the protocol.
        """
        given = self.model_dump(exclude_unset=True)
        if changes.get("protocol", self.protocol) != self.protocol:
            given = {key: value for key, value in given.items() if key not in PUBLISHED}
        return Training.model_validate({**given, **changes})
