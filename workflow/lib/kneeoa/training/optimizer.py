"""AdamW by torch's fused kernel, and learning rate schedules.

torch.optim.Optimizer is done without: its first call imports torch's compiler, which takes longer
than torch itself and as long as a short run's epochs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from kneeoa.config.training import Training

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class AdamW:
    """AdamW (Loshchilov and Hutter, ICLR 2019), the bytes of ``torch.optim.AdamW(fused=True)``."""

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float) -> None:
        """Optimise ``parameters``, in this order, with decoupled ``weight_decay``."""
        self.parameters = list(parameters)
        self.weight_decay = weight_decay
        self.rate = 0.0
        """Learning rate of the next step."""
        self.state: dict[int, dict[str, Tensor]] = {}
        """Number of a parameter that has been updated -> ``step``, ``exp_avg``, ``exp_avg_sq``."""

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        learning = {number: parameter for number, parameter in enumerate(self.parameters) if parameter.grad is not None}
        for number, parameter in learning.items():
            if number not in self.state:
                self.state[number] = _initial_state(parameter)
        states = [self.state[number] for number in learning]
        adamw(
            list(learning.values()),
            [parameter.grad for parameter in learning.values() if parameter.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=self.rate,
            weight_decay=self.weight_decay,
            eps=EPSILON,
            maximize=False,
        )


def _initial_state(parameter: nn.Parameter) -> dict[str, Tensor]:
    step = torch.zeros((), dtype=torch.float32, device=parameter.device)
    return {"step": step, "exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}


def learning_rate_at(training: Training, step: int, steps: int) -> float:
    """Learning rate of ``step`` (from 0) of ``steps``.

    Cosine: a linear rise over the first ``warmup`` share of the steps, then half a cosine down
    towards zero, as in SGDR without restarts (Loshchilov and Hutter, ICLR 2017, eq. 5 with a
    minimum of zero). Constant: always the same, as paper A.
    """
    if training.schedule == "constant":
        return training.learning_rate
    rise = round(training.warmup * steps)
    if step < rise:
        return training.learning_rate * (step + 1) / rise
    return training.learning_rate * 0.5 * (1.0 + math.cos(math.pi * (step - rise) / (steps - rise)))
