"""AdamW by torch's fused kernel, stochastic gradient descent, and learning rate schedules.

torch.optim.Optimizer is done without: its first call imports torch's compiler, which takes longer
than torch itself and as long as a short run's epochs.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from kneeoa.config.training import Training

EPSILON = 1e-8
LEAST_RATE = 1e-12
"""Value below the cosine of the published schedule of the plug-in module."""
FIRST_RATE = 1e-9
"""Learning rate of its first micro-batch."""


class Optimiser(ABC):
    """The parameters of a network, and what a method of optimisation keeps of each."""

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float) -> None:
        """Optimise ``parameters``, in this order."""
        self.parameters = list(parameters)
        self.weight_decay = weight_decay
        self.rate = 0.0
        """Learning rate of the next step."""
        self.state: dict[int, dict[str, Tensor]] = {}
        """Number of a parameter that has been updated -> what is kept of it, by torch's names."""

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        learning = {number: parameter for number, parameter in enumerate(self.parameters) if parameter.grad is not None}
        gradients = [parameter.grad for parameter in learning.values() if parameter.grad is not None]
        self._update(list(learning), list(learning.values()), gradients)

    @abstractmethod
    def _update(self, numbers: list[int], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        """Update ``parameters`` in place, and :attr:`state` at their ``numbers``."""


class AdamW(Optimiser):
    """AdamW (Loshchilov and Hutter, ICLR 2019), the bytes of ``torch.optim.AdamW(fused=True)``; it
    keeps ``step``, ``exp_avg`` and ``exp_avg_sq``.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        """Optimise ``parameters`` with decoupled ``weight_decay``; ``betas`` are the decay rates of
        the averages of the gradient and of its square.
        """
        super().__init__(parameters, weight_decay)
        self.betas = betas

    def _update(self, numbers: list[int], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        for number, parameter in zip(numbers, parameters, strict=True):
            if number not in self.state:
                self.state[number] = _initial_state(parameter)
        states = [self.state[number] for number in numbers]
        adamw(
            parameters,
            gradients,
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=self.rate,
            weight_decay=self.weight_decay,
            eps=EPSILON,
            maximize=False,
        )


class Sgd(Optimiser):
    """Stochastic gradient descent with momentum (Sutskever et al., ICML 2013), the bytes of
    ``torch.optim.SGD``; it keeps ``momentum_buffer``.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float, momentum: float = 0.9, nesterov: bool = True) -> None:
        """Optimise ``parameters`` with ``weight_decay`` times the weights added to the gradients
        (L2).
        """
        super().__init__(parameters, weight_decay)
        self.momentum, self.nesterov = momentum, nesterov

    def _update(self, numbers: list[int], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        buffers = [self.state.get(number, {}).get("momentum_buffer") for number in numbers]
        sgd(
            parameters,
            gradients,
            buffers,
            foreach=parameters[0].device.type == "cuda",  # as torch.optim.SGD chooses
            fused=False,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=self.rate,
            dampening=0.0,
            nesterov=self.nesterov,
            maximize=False,
        )
        for number, buffer in zip(numbers, buffers, strict=True):
            if buffer is not None:
                self.state[number] = {"momentum_buffer": buffer}


KINDS: dict[str, type[Optimiser]] = {"adamw": AdamW, "sgd": Sgd}


def make_optimiser(parameters: Iterable[nn.Parameter], training: Training) -> Optimiser:
    """The optimiser of a run, with the keys that its kind has."""
    return KINDS[training.optimiser](parameters, training.weight_decay, **training.optimiser_settings())


def _initial_state(parameter: Tensor) -> dict[str, Tensor]:
    step = torch.zeros((), dtype=torch.float32, device=parameter.device)
    return {"step": step, "exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}


def learning_rate_at(training: Training, step: int, steps: int) -> float:
    """Learning rate of ``step`` (from 0) of ``steps``, where the schedule counts steps.

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


def published_rate_at(training: Training, micro_batch: int, micro_batches: int) -> float:
    """Learning rate of ``micro_batch`` (from 0) of the ``micro_batches`` of a run, by the published
    schedule of the plug-in module.

    A linear rise over the first ``warmup_micro_batches``, then half a cosine as long as the whole
    run, so that the rate does not come down to zero (Chou et al. 2022, arXiv 2202.03822, as its
    release has it).
    """
    rise, top = training.warmup_micro_batches, training.learning_rate
    if micro_batch < rise:
        return FIRST_RATE + (top - FIRST_RATE) * micro_batch / max(1, rise - 1)
    return LEAST_RATE + 0.5 * (top - LEAST_RATE) * (1.0 + math.cos(math.pi * (micro_batch - rise) / micro_batches))


def epoch_rates(training: Training, cases: int, epoch: int, steps: int) -> list[float]:
    """Learning rates of the ``steps`` of an epoch (from 1).

    The published schedule counts micro-batches as they are configured, also those that are left
    out, and a step has the rate of its last one.

    Args:
        training: the schedule, and the sizes of batches.
        cases: training cases.
        epoch: from 1.
        steps: of this epoch and of every other.
    """
    if training.schedule != "pim":
        return [learning_rate_at(training, (epoch - 1) * steps + step, training.epochs * steps) for step in range(steps)]
    each = training.micro_batches(cases)
    last = [min((step + 1) * training.micro_batches_of_batch, each) - 1 for step in range(steps)]
    return [published_rate_at(training, (epoch - 1) * each + number, training.epochs * each) for number in last]
