"""Compute gradients and losses of a batch, in smaller parts where the device's memory requires it;
stop a run where they are not finite.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from kneeoa.config.training import Training
from kneeoa.errors import KneeoaError
from kneeoa.network.dropout import use_keyed_dropout
from kneeoa.network.model import Network
from kneeoa.network.recompute import recompute
from kneeoa.training.device import keep_freed_memory, precision
from kneeoa.training.micro_batches import Result, split_cases, with_smaller_batches

logger = logging.getLogger(__name__)


class NotFinite(KneeoaError):
    """A loss or a gradient became infinite or NaN; the message names the cases of its batch."""


class BufferCopy:
    """A copy of a network's buffers as they were before a step.

    A forward pass of a bad batch spoils batch normalisation's running statistics before its loss is
    checked, while weights and optimiser are still those of the step before. With the buffers
    restored, the state is good again.
    """

    def __init__(self, network: nn.Module) -> None:
        """Copy the buffers of ``network``; the copies stay on its device."""
        self._buffers = list(network.buffers())
        self._copies = [buffer.detach().clone() for buffer in self._buffers]

    @torch.no_grad()
    def save(self) -> None:
        """Copy the buffers as they are now."""
        for copy, buffer in zip(self._copies, self._buffers, strict=True):
            copy.copy_(buffer)

    @torch.no_grad()
    def restore(self) -> None:
        """Restore the buffers from the last copy."""
        for copy, buffer in zip(self._copies, self._buffers, strict=True):
            buffer.copy_(copy)


def all_finite(tensors: Iterable[torch.Tensor]) -> bool:
    """Whether no tensor holds an infinity or a NaN."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)


class Engine:
    """A network set up for training on a device.

    The batch's loss is a mean over its labelled cases, with micro-batches too: each part's terms
    are divided by the whole batch's counts, so the gradients add up to the batch's. Only batch
    normalisation depends on the parts: its statistics are per micro-batch, and its running
    statistics are updated once for each.
    """

    def __init__(self, network: Network, training: Training, device: torch.device) -> None:
        """Prepare ``network`` (on ``device`` already) in place; its weights and their names stay
        the same.
        """
        self.network = network
        self.device = device
        self.micro_batch = training.micro_batch or 0
        """Cases at a time (0: the whole batch). An out-of-memory error makes it smaller, for the
        rest of the run.
        """
        self.evaluation_batch = 0
        """Cases at a time in evaluation (0: the whole batch)."""
        self.clip = training.clip
        """Largest norm of the whole gradient (0: any)."""
        self._training = training
        self._keys = use_keyed_dropout(network)
        if device.type == "cpu":
            keep_freed_memory()
        self._buffers = BufferCopy(network)
        self._compiled = training.compile
        if training.recompute and not recompute(network.backbone):
            logger.warning("'recompute' changes nothing: this backbone has no stages to compute again")
        if training.compile:
            network.backbone.compile()

    def gradients(
        self, images: Tensor, labels: Mapping[str, Tensor], keys: Sequence[int], seed: int, change: Callable[[Tensor, slice], Tensor]
    ) -> dict[str, Tensor]:
        """Compute the gradients of the batch's loss in the network's parameters.

        Args:
            images: float16 ``[batch, 1, *shape]`` on the device.
            labels: of the batch, as :meth:`Heads.loss` takes them.
            keys: one 63-bit integer a case, from which its dropout masks are drawn.
            seed: of torch's generator, from which other random layers draw.
            change: augmentation of a part of the images, given their slice of the batch.

        Returns:
            The batch's loss per level and ``total``, detached, on the device.

        Raises:
            KneeoaError: one case at a time does not fit into the device's memory.
        """
        terms = self.network.heads.terms(labels)
        masks = torch.tensor(keys, device=self.device)
        self._buffers.save()

        def attempt(size: int) -> dict[str, Tensor]:
            """Compute the whole step from its beginning, so that a second attempt equals a
            first.
            """
            self._buffers.restore()
            self.network.zero_grad(set_to_none=True)
            torch.manual_seed(seed)
            sums: dict[str, Tensor] = {}
            for part in split_cases(len(images), size):
                self._keys.values = masks[part]
                with precision(self._training.precision, self.device):
                    output = self.network(change(images[part], part))
                answers = {level: values.float() for level, values in output.logits.items()}
                losses = self.network.heads.loss(answers, {level: values[part] for level, values in labels.items()}, terms)
                losses["total"].backward()  # type: ignore[no-untyped-call]
                for name, value in losses.items():
                    sums[name] = sums[name] + value.detach() if name in sums else value.detach()
            return sums

        size = min(self.micro_batch or len(images), len(images))
        try:
            sums, fitted = with_smaller_batches(lambda tried: self._attempt_with_fallback(attempt, tried), size)
        finally:
            self._keys.values = None
        if fitted < size:
            self.micro_batch = fitted
        return sums

    def restore_buffers(self) -> None:
        """Restore the buffers from before the last batch: with unchanged weights, its forward pass
        leaves no trace.
        """
        self._buffers.restore()

    def logits(self, images: Tensor) -> dict[str, Tensor]:
        """Logits of ``images`` (float16 ``[batch, 1, *shape]`` on the device), for evaluation
        mode.

        Raises:
            KneeoaError: one case at a time does not fit into the device's memory.
        """

        def attempt(size: int) -> list[dict[str, Tensor]]:
            with precision(self._training.precision, self.device):
                return [self.network(images[part].float()).logits for part in split_cases(len(images), size)]

        size = min(self.evaluation_batch or len(images), len(images))
        answers, fitted = with_smaller_batches(lambda tried: self._attempt_with_fallback(attempt, tried), size)
        if fitted < size:
            self.evaluation_batch = fitted
        return {level: torch.cat([answer[level] for answer in answers]).float() for level in answers[0]}

    def _attempt_with_fallback(self, attempt: Callable[[int], Result], size: int) -> Result:
        """Call ``attempt`` with the compiled network; where compilation fails, use the plain
        network from then on.
        """
        if not self._compiled:
            return attempt(size)
        try:
            return attempt(size)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # what compilers raise has no common class
            logger.warning("torch.compile failed (%s: %s); this run goes on without it", type(error).__name__, _first_line(error))
        self._compiled = False
        self.network.backbone._compiled_call_impl = None
        return attempt(size)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]
