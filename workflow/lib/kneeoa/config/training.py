"""How a run is trained."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from kneeoa.config.protocols import AS_PUBLISHED, PUBLISHED, contradictions, filled
from kneeoa.config.section import Section

INDIFFERENT = ("save_every", "tensorboard", "data", "recompute")
"""Keys of training that change no result: how a run is looked after, and where its data and
activations are.
"""


class Augmentation(Section):
    """Random changes of training images; all zero is none (paper A)."""

    shift: float = Field(default=0.0, ge=0, le=0.25)
    """Largest translation, as a share of each axis."""
    scale: float = Field(default=0.0, ge=0, lt=0.5)
    """Largest relative change of intensity scale."""
    noise: float = Field(default=0.0, ge=0)
    """Standard deviation of added Gaussian noise, in standard deviations of the image."""
    rotation: float = Field(default=0.0, ge=0, le=45)
    """Largest rotation in degrees of the voxel grid: about each axis of a volume, in the plane of a
    radiograph.
    """
    zoom: float = Field(default=0.0, ge=0, lt=0.5)
    """Largest relative change of size: 0.1 enlarges or shrinks by up to a factor of 1.1."""
    gamma: float = Field(default=0.0, ge=0, le=1)
    """Largest relative change of the exponent that bends the intensity range: 0.3 is from 1/1.3 to
    1.3.
    """


class Training(Section):
    """How a run is trained."""

    protocol: Literal["validated", "as-published"] = "validated"
    """validated: where a study starts from, each key open to change: cosine schedule with warm-up,
    augmentation, the epoch chosen on validation cases; as-published: exactly paper A's settings,
    which no other key may contradict, see docs/training.md.
    """
    epochs: PositiveInt = 100
    """Passes over the training cases."""
    batch: PositiveInt = 2
    """Cases per step."""
    learning_rate: PositiveFloat = 1e-4
    """Peak learning rate of AdamW."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """Decoupled weight decay of AdamW."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of all steps over which the learning rate rises linearly; then cosine decay. Ignored
    for constant.
    """
    schedule: Literal["cosine", "constant"] = "cosine"
    """How the learning rate goes."""
    checkpoint: Literal["best", "last"] = "best"
    """best: the epoch with the lowest validation loss; last: the final one (paper A)."""
    augmentation: Augmentation = Augmentation(shift=0.04, scale=0.1, noise=0.05)
    """Random changes of training images; {} for none. In a section that is given, what is left out
    is zero.
    """
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: in every loss a class counts against its frequency among the training cases, the
    mean over these being 1.
    """
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16: autocast on a GPU; ignored on a CPU."""
    clip: float = Field(default=0.0, ge=0)
    """Largest norm of a step's whole gradient, a longer one is shortened to it; 0: none is."""
    micro_batch: PositiveInt | None = None
    """Cases at a time on the device, where a whole batch does not fit: the batch's loss stays the
    same, but batch normalisation's statistics are of a micro-batch. Null: the whole batch; after an
    out-of-memory error half as many, and so on.
    """
    recompute: bool = False
    """Drop each stage's activations and compute them again for the gradient: far less memory, about
    a third more time, the same result.
    """
    compile: bool = False
    """torch.compile the backbone: minutes at the start, then faster steps on a GPU. Goes on without
    it where it fails.
    """
    data: Literal["auto", "resident", "streamed"] = "auto"
    """Where images lie: resident in memory (on a GPU, the device's own), or streamed from their
    shards by background threads; auto: resident where they fit into 30 % of the free memory.
    Changes no result.
    """
    predict_batch: PositiveInt = 8
    """Cases per step when predicting and explaining."""
    save_every: NonNegativeInt = 300
    """Seconds between two writes of an unfinished run's state, from which a killed job goes on; 0:
    after every step. Changes no result.
    """
    tensorboard: bool = False
    """Write learning curves as TensorBoard event files too, into the run's folder; needs the
    package tensorboard. Changes no result.
    """

    @field_validator("tensorboard")
    @classmethod
    def _installed(cls, asked: bool) -> bool:
        if asked and find_spec("tensorboard") is None:
            raise ValueError("the package tensorboard is not installed; install it (pip install tensorboard), or leave 'tensorboard' out")
        return asked

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, settings: Any) -> Any:
        return filled(settings) if isinstance(settings, Mapping) else settings

    @model_validator(mode="after")
    def _as_published(self) -> Self:
        if self.protocol == AS_PUBLISHED:
            published = Training.model_validate({**PUBLISHED, "protocol": "validated"})
            told = contradictions(self.model_dump(), published.model_dump())
            if told:
                raise ValueError(told)
        return self

    def decisive(self) -> dict[str, Any]:
        """The settings that decide a run's result, as plain values: all but those on how it is
        looked after and where its data lie.
        """
        return self.model_dump(mode="json", exclude=set(INDIFFERENT))

    def changed(self, changes: Mapping[str, Any]) -> Training:
        """These settings with an arm's changes; an arm of another protocol takes none of the keys
        that a protocol fixes from here.

        Raises:
            ValidationError: the changes are wrong, or contradict the protocol.
        """
        given = self.model_dump(exclude_unset=True)
        if changes.get("protocol", self.protocol) != self.protocol:
            given = {key: value for key, value in given.items() if key not in PUBLISHED}
        return Training.model_validate({**given, **changes})
