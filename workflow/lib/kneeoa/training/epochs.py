"""Run the epochs of a run: train, validate, keep the best weights, collect the history."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneeoa.config.prediction import flipped_axes
from kneeoa.config.training import Training
from kneeoa.errors import KneeoaError
from kneeoa.network.model import ModelSpec
from kneeoa.training.augmentation import draw_augmentation
from kneeoa.training.checkpoint import Progress
from kneeoa.training.checkpointing import CheckpointManager
from kneeoa.training.dataset import Dataset, training_batches
from kneeoa.training.engine import Engine
from kneeoa.training.loop import TOTAL, EpochState, Evaluation, Plan, evaluate, steps
from kneeoa.training.optimizer import Optimiser, epoch_rates
from kneeoa.training.progress import EventFiles, ProgressDisplay


@dataclass(frozen=True)
class Epochs:
    """Settings and data that stay the same over the epochs of a run."""

    spec: ModelSpec
    training: Training
    seed: int
    data: Mapping[str, Dataset]
    keeper: CheckpointManager
    watch: ProgressDisplay
    out: Path
    """Folder of the run."""
    on_step: Callable[[int, int], None] | None = None
    """Called after each step with its epoch and the steps of it that are done."""

    def run(self, engine: Engine, optimiser: Optimiser, progress: Progress) -> None:
        """Train from the state in ``progress`` to the last epoch; updates the engine's network,
        ``optimiser`` and ``progress``.

        Raises:
            NotFinite: a loss is not finite.
            Unfinished: the job has to leave.
        """
        events = EventFiles(self.out, progress.epoch) if self.training.tensorboard else None
        try:
            while progress.epoch < self.training.epochs:
                plan = self.plan(progress.epoch + 1)
                self._train(engine, optimiser, progress, plan)
                rows = self._finish_epoch(engine, progress, plan)
                if events is not None:
                    events.add(rows)
        finally:
            self.watch.close()
            if events is not None:
                events.close()

    def plan(self, epoch: int) -> Plan:
        """Plan ``epoch`` (from 1): a function of its number and the seed alone."""
        learning, training = self.data["train"], self.training
        batches = training_batches(len(learning), training.batch, self.seed, epoch, training.whole_batches(len(learning)))
        rates = epoch_rates(training, len(learning), epoch, len(batches))
        augment = draw_augmentation(
            training.augmentation, len(learning), self.spec.shape, self.seed, epoch, crop=self.spec.crop, mirror=self._mirror()
        )
        return Plan(self.seed, epoch, batches, rates, augment)

    def _mirror(self) -> tuple[float, int] | None:
        """Probability of a mirror image and the axis from left to right; None without any.

        Raises:
            KneeoaError: the images have no such axis, or it is not known.
        """
        if not self.training.mirror:
            return None
        if self.spec.trained_on is None:
            raise KneeoaError("'training.mirror' needs the view of the images, to know which axis goes from left to right.")
        try:
            return self.training.mirror, flipped_axes(self.spec.trained_on.canonical, ("left_right",), "training.mirror")[0]
        except ValueError as error:
            raise KneeoaError(f"{error}.") from error

    def _train(self, engine: Engine, optimiser: Optimiser, progress: Progress, plan: Plan) -> None:
        """Train the remaining steps of the present epoch."""
        self.keeper.save_or_exit()
        engine.micro_batch = progress.micro_batch or engine.micro_batch
        with closing(steps(engine, self.data["train"], plan, progress.tally, optimiser)) as each:  # its threads end with it
            for _ in each:
                progress.micro_batch = engine.micro_batch
                progress.cost.cases += len(plan.batches[progress.tally.step - 1])
                self.keeper.after_step()
                self.watch.after_step(progress, len(plan.batches))
                self.keeper.save_or_exit()
                if self.on_step is not None:
                    self.on_step(plan.epoch, progress.tally.step)

    def _finish_epoch(self, engine: Engine, progress: Progress, plan: Plan) -> list[dict[str, Any]]:
        """Validate and finish the epoch; returns its rows of the history."""
        validation, training, cost = self.data["val"], self.training, progress.cost
        # Validating a case takes less time than training on it, so this is more than enough where
        # validation has not been timed yet.
        self.keeper.save_or_exit(ahead=cost.training / max(1, cost.cases) * len(validation))
        begun = time.monotonic()
        levels = [level for level in self.spec.levels if level.name in self.spec.mode.levels]
        evaluation = evaluate(engine, validation, training.predict_batch, levels) if len(validation) else None
        cost.validation += time.monotonic() - begun
        cost.waited += progress.tally.waited
        losses = progress.tally.means()
        rows = _history_rows(plan.epoch, losses, plan.rates[-1], evaluation)
        progress.history += rows
        if training.checkpoint == "last":
            progress.best_epoch = plan.epoch
        elif evaluation is not None and evaluation.losses[TOTAL] < progress.best_loss:
            progress.best_epoch, progress.best_loss = plan.epoch, evaluation.losses[TOTAL]
            progress.best = {name: value.detach().cpu().clone() for name, value in engine.network.state_dict().items()}
        progress.epoch, progress.tally = plan.epoch, EpochState()
        self.keeper.after_epoch()
        self.watch.after_epoch(progress, losses, evaluation)
        return rows


def _history_rows(epoch: int, losses: Mapping[str, float], learning_rate: float, evaluation: Evaluation | None) -> list[dict[str, Any]]:
    """Rows of the HISTORY table without arm and seed; they are the same in equal runs."""
    rows = [("train", level, "loss", value) for level, value in losses.items()]
    rows.append(("train", TOTAL, "learning_rate", learning_rate))
    if evaluation is not None:
        rows += [("val", level, "loss", value) for level, value in evaluation.losses.items()]
        rows += [("val", level, name, value) for level, (name, value) in evaluation.measures.items()]
    return [{"epoch": epoch, "split": split, "level": level, "measure": name, "value": value} for split, level, name, value in rows]
