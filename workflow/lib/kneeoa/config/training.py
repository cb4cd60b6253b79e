"""Section of training, and its protocols: named sets of settings."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from kneeoa.config.section import MemberOf, Section, all_values

Share = Annotated[float, Field(ge=0, lt=1)]

INDIFFERENT = ("save_every", "tensorboard", "data", "recompute")
"""Keys of training that change no result: saving, logging, and memory for data and activations."""

VALIDATED = "validated"

PROTOCOLS: dict[str, dict[str, Any]] = {
    VALIDATED: {},
    "as-published": {
        "epochs": 100,
        "batch": 2,
        "optimiser": "adamw",
        "learning_rate": 1e-4,
        "weight_decay": 1e-4,
        "betas": None,
        "schedule": "constant",
        "leftover": "keep",
        "checkpoint": "last",
        "crop": None,
        "mirror": 0.0,
        "augmentation": {},
        "precision": "float32",
        "class_weights": "none",
        "clip": 0.0,
        "micro_batch": None,
    },
    "pim-published": {
        "epochs": 50,
        "batch": 32,
        "micro_batch": 16,
        "optimiser": "sgd",
        "momentum": 0.9,
        "nesterov": True,
        "learning_rate": 5e-4,
        "weight_decay": 5e-4,
        "schedule": "pim",
        "warmup_micro_batches": 800,
        "leftover": "drop",
        "checkpoint": "last",
        "crop": (384, 384),
        "augmentation": {"blur": 0.1, "sharpness": 0.1},
        "precision": "bfloat16",
        "class_weights": "none",
        "clip": 0.0,
    },
}
"""Name of a protocol -> the settings that it fixes.

as-published: paper A (arXiv 2605.00718), AdamW at a constant rate, no augmentation, nothing chosen
on validation cases. pim-published: the training of the plug-in module (Chou et al. 2022, arXiv
2202.03822, and its public release), but for its left-right flips, which are `mirror`.
"""

OPTIMISER_KEYS: dict[str, dict[str, Any]] = {"adamw": {"betas": (0.9, 0.999)}, "sgd": {"momentum": 0.9, "nesterov": True}}
"""Optimiser -> its keys of the section, and the values that they have where they are left out."""

MOST_WARMUP = 0.1
"""Largest share of a run's micro-batches over which the published schedule may warm up."""


def protocols() -> tuple[str, ...]:
    """Names of all protocols."""
    return tuple(PROTOCOLS)


def fill_protocol(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Add the settings that the protocol fixes and that are not given; given ones stay, and are
    checked afterwards.
    """
    return {**PROTOCOLS.get(str(settings.get("protocol")), {}), **settings}


def _value_shown(value: Any) -> str:
    """Format a value as in a configuration; of a section only the keys that are not zero."""
    if isinstance(value, Section):
        given = {key: entry for key, entry in value if entry}
        return str(given) if given else "none"
    return str(list(value)) if isinstance(value, tuple) else str(value)


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
    blur: float = Field(default=0.0, ge=0, le=1, exclude_if=lambda share: share == 0)
    """Probability of a Gaussian blur of five voxels along each axis, with a standard deviation
    drawn from 0.1 to 5.
    """
    sharpness: float = Field(default=0.0, ge=0, le=1, exclude_if=lambda share: share == 0)
    """Probability of sharpening: half of the difference from a slightly blurred image is added."""


class Training(Section):
    """Training of a run."""

    protocol: Annotated[str, MemberOf(protocols)] = VALIDATED
    """validated: cosine schedule with warm-up, augmentation, and the epoch chosen on validation
    cases; any key may be changed. as-published: exactly paper A's settings. pim-published: those
    with which the plug-in module was published. No other key may contradict the latter two. See
    docs/training.md.
    """
    epochs: PositiveInt = 100
    """Number of passes over the training cases."""
    batch: PositiveInt = 2
    """Number of cases per step."""
    optimiser: Literal["adamw", "sgd"] = Field(default="adamw", exclude_if=lambda name: name == "adamw")
    """adamw: AdamW. sgd: stochastic gradient descent with momentum."""
    learning_rate: PositiveFloat = 1e-4
    """Peak learning rate."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """Weight decay. adamw: decoupled from the gradient. sgd: added to it (L2), times the weight."""
    betas: tuple[Share, Share] | None = Field(default=None, exclude_if=lambda betas: betas is None)
    """Decay rates of the averages of the gradient and of its square, for adamw alone. Null: 0.9 and
    0.999.
    """
    momentum: Share | None = Field(default=None, exclude_if=lambda momentum: momentum is None)
    """Share of the last step's direction that is kept, for sgd alone. Null: 0.9."""
    nesterov: bool | None = Field(default=None, exclude_if=lambda nesterov: nesterov is None)
    """Nesterov's form of the momentum, for sgd alone. Null: true."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of all steps over which the learning rate rises linearly, before the cosine decay. Of
    the schedule cosine alone.
    """
    schedule: Literal["cosine", "constant", "pim"] = "cosine"
    """Schedule of the learning rate. cosine: a warm-up, then half a cosine to zero. pim: that with
    which the plug-in module was published: a warm-up over a number of micro-batches, then a cosine
    that would reach zero only so many micro-batches after the end.
    """
    warmup_micro_batches: NonNegativeInt = Field(default=800, exclude_if=lambda number: number == 800)
    """Number of micro-batches over which the schedule pim warms up, at most a tenth of the run's.
    Of that schedule alone.
    """
    leftover: Literal["keep", "drop"] = Field(default="keep", exclude_if=lambda leftover: leftover == "keep")
    """Cases at the end of an epoch that fill no batch. keep: they are a smaller batch (a single one
    joins the batch before). drop: micro-batches after the last that completes a batch are left out,
    as in the published training of the plug-in module; other cases are left out in each epoch.
    """
    checkpoint: Literal["best", "last"] = "best"
    """best: the epoch with the lowest validation loss. last: the final epoch (paper A)."""
    augmentation: Augmentation = Augmentation(shift=0.04, scale=0.1, noise=0.05)
    """Random changes of training images. {}: none. Keys that are left out of a given section are
    zero.
    """
    crop: tuple[PositiveInt, ...] | None = Field(default=None, min_length=2, max_length=3, exclude_if=lambda crop: crop is None)
    """Voxels along each axis of the part of an image that the network takes: a random part in
    training, the central one ever after. Null: the whole image.
    """
    mirror: float = Field(default=0.0, ge=0, le=1, exclude_if=lambda share: share == 0)
    """Probability that a training image is mirrored left to right. Canonical knees all look like
    right ones, so a mirror image swaps medial and lateral; the published training of the plug-in
    module mirrors half of all images.
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
    def _consistent(self) -> Self:
        for message in (self._contradictions(), self._foreign_keys(), self._uneven_batches()):
            if message:
                raise ValueError(message)
        return self

    def _contradictions(self) -> str:
        """A sentence about the keys whose values differ from those that the protocol fixes; empty
        where none does.
        """
        fixed = PROTOCOLS[self.protocol]
        published = Training.model_validate({**fixed, "protocol": VALIDATED}) if fixed else self
        differing = {key: (getattr(published, key), getattr(self, key)) for key in fixed if getattr(published, key) != getattr(self, key)}
        if not differing:
            return ""
        differences = " and ".join(f"'{key}' {_value_shown(theirs)}, not {_value_shown(ours)}" for key, (theirs, ours) in differing.items())
        them = "it" if len(differing) == 1 else "them"
        return f"protocol '{self.protocol}' means {differences}; leave {them} out, or choose the protocol '{VALIDATED}'"

    def _foreign_keys(self) -> str:
        for optimiser, keys in OPTIMISER_KEYS.items():
            given = [key for key in keys if getattr(self, key) is not None]
            if given and optimiser != self.optimiser:
                return (
                    f"'{given[0]}' is a key of the optimiser '{optimiser}', but 'optimiser' is '{self.optimiser}'; leave it out, or "
                    f"choose 'optimiser: {optimiser}'"
                )
        if self.optimiser_settings().get("nesterov") and not self.optimiser_settings()["momentum"]:
            return "'momentum' is 0, and Nesterov's momentum needs some; set 'nesterov' to false, or 'momentum' to 0.9"
        return ""

    def _uneven_batches(self) -> str:
        by_micro_batch = [f"'{key}: {value}'" for key, value in (("schedule", "pim"), ("leftover", "drop")) if getattr(self, key) == value]
        if by_micro_batch and self.batch % self.cases_at_a_time:
            return (
                f"{by_micro_batch[0]} counts micro-batches, but 'micro_batch' ({self.cases_at_a_time}) does not divide 'batch' "
                f"({self.batch}); choose two numbers of which one divides the other"
            )
        return ""

    def optimiser_settings(self) -> dict[str, Any]:
        """The optimiser's keys and their values, those that are left out too."""
        defaults = OPTIMISER_KEYS[self.optimiser]
        return {key: default if getattr(self, key) is None else getattr(self, key) for key, default in defaults.items()}

    @property
    def cases_at_a_time(self) -> int:
        """Number of cases of a micro-batch, as it is configured."""
        return min(self.batch, self.micro_batch or self.batch)

    @property
    def micro_batches_of_batch(self) -> int:
        """Number of micro-batches of a whole batch."""
        return -(-self.batch // self.cases_at_a_time)

    def micro_batches(self, cases: int) -> int:
        """Number of micro-batches of an epoch of so many training cases."""
        return -(-cases // self.cases_at_a_time)

    def whole_batches(self, cases: int) -> int | None:
        """Number of batches of an epoch that are trained on, where what is left over is dropped;
        None: all.
        """
        return None if self.leftover == "keep" else self.micro_batches(cases) // self.micro_batches_of_batch

    def check_cases(self, cases: int) -> None:
        """Check that so many training cases are enough.

        Raises:
            ValueError: they fill no batch where what is left over is dropped, or the published
                schedule would warm up over too large a part of the run.
        """
        each = self.micro_batches(cases)
        if self.leftover == "drop" and each < self.micro_batches_of_batch:
            raise ValueError(
                f"'training.leftover' is drop, but {cases} training cases fill no batch of {self.batch}; choose a smaller 'batch', or keep"
            )
        total = self.epochs * each
        if self.schedule == "pim" and self.warmup_micro_batches > MOST_WARMUP * total:
            raise ValueError(
                f"'training.warmup_micro_batches' is {self.warmup_micro_batches:,}, more than a tenth of the {total:,} micro-batches of "
                f"{self.epochs} epochs of {cases:,} training cases, {self.cases_at_a_time} at a time; warm up over "
                f"{int(MOST_WARMUP * total):,} at most, or train for more epochs"
            )

    def result_settings(self) -> dict[str, Any]:
        """The settings that decide a run's result, as plain values: all but :data:`INDIFFERENT`,
        and some only where they are not the default.
        """
        return self.model_dump(mode="json", exclude=set(INDIFFERENT))

    def deciding_values(self) -> dict[str, Any]:
        """The values of all settings that decide a run's result, the optimiser's as they act."""
        values = {key: value for key, value in all_values(self).items() if key not in INDIFFERENT}
        return values | self.optimiser_settings()

    def with_changes(self, changes: Mapping[str, Any]) -> Training:
        """These settings with an arm's changes; an arm with another protocol inherits none of the
        keys that a protocol fixes.

        Raises:
            ValidationError: the changes are wrong, or contradict the protocol.
        """
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if changes.get("protocol", self.protocol) != self.protocol:
            fixed = PROTOCOLS[self.protocol].keys() | PROTOCOLS.get(str(changes["protocol"]), {}).keys()
            given = {key: value for key, value in given.items() if key not in fixed}
        if changes.get("optimiser", self.optimiser) != self.optimiser:
            given = {key: value for key, value in given.items() if key not in OPTIMISER_KEYS[self.optimiser]}
        return Training.model_validate({**given, **changes})
