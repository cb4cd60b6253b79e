"""How a run is trained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from kneeoa.config.section import Section


class Augmentation(Section):
    """Random changes of training images; all zero is none (paper A)."""

    shift: float = Field(default=0.0, ge=0, le=0.25)
    """Largest translation, as a share of each axis."""
    scale: float = Field(default=0.0, ge=0, lt=0.5)
    """Largest relative change of intensity scale."""
    noise: float = Field(default=0.0, ge=0)
    """Standard deviation of added Gaussian noise, in standard deviations of the image."""


class Training(Section):
    """How a run is trained."""

    epochs: PositiveInt = 100
    """Passes over the training cases."""
    batch: PositiveInt = 2
    """Cases per step."""
    learning_rate: PositiveFloat = 1e-4
    """Peak learning rate of AdamW."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """Decoupled weight decay of AdamW."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of all steps over which the learning rate rises linearly; then cosine decay. Ignored for constant."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """How the learning rate goes."""
    checkpoint: Literal["best", "last"] = "best"
    """best: the epoch with the lowest validation loss; last: the final one (paper A)."""
    augmentation: Augmentation = Augmentation()
    """Random changes of training images."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16: autocast on a GPU; ignored on a CPU."""
    predict_batch: PositiveInt = 8
    """Cases per step when predicting and explaining."""
