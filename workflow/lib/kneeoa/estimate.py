"""Estimate the memory and time of a training step of every arm of a study, from its configuration
alone: ``python -m kneeoa.estimate --help``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from kneeoa.backbones import registry as backbones
from kneeoa.config.arms import Arm
from kneeoa.config.study import Study, load
from kneeoa.errors import KneeoaError
from kneeoa.plugins import registry as plugins

COLUMNS = ("arm", "input", "cases", "backbone_parameters", "memory_mb", "tflop", "seconds")
RATE = 100.0
"""Tera-operations a second by default: what a current GPU does of networks like these at half
precision. A machine's own is measured by ``benchmarks/train_gpu.py``.
"""


def memory_and_operations(study: Study, arm: Arm) -> tuple[float, int] | None:
    """Megabytes (10^6 bytes) of a micro-batch in single precision, and additions and
    multiplications of a step, of an arm; None where its backbone does not say.
    """
    shape, training, backbone = study.taken_shape(arm), arm.training, study.backbones[arm.backbone]
    cost = backbones.step_cost(backbone.kind, backbone.options, shape)
    if cost is None:
        return None
    memory, operations = cost.memory_mb(training.cases_at_a_time), cost.operations(training.batch)
    if arm.plugin is not None:
        plugin, mode = study.plugins[arm.plugin], study.modes[arm.mode]
        sizes = plugins.check(plugin, mode, backbone.kind, backbone.options, shape)
        widths = backbones.map_widths(backbone.kind, backbone.options, plugin.public_maps)
        memory += plugin.memory_mb(sizes, training.cases_at_a_time, len(shape), len(mode.levels))
        more = plugin.step_cost(sizes, widths, len(shape), len(mode.levels))
        operations += 0 if more is None else more.operations(training.batch)
    return memory, operations


def estimates(study: Study, rate: float) -> Iterator[tuple[str, ...]]:
    """Yield a row for each arm, by :data:`COLUMNS`, as printed; empty cells where its backbone does
    not say.

    Args:
        study: the study.
        rate: tera-operations a second, from which the seconds follow.
    """
    for arm in study.arms_table():
        shape, batch, cases = study.taken_shape(arm), arm.training.batch, arm.training.cases_at_a_time
        head = (arm.name, "x".join(map(str, shape)), f"{batch // cases} x {cases}" if batch > cases else str(batch))
        backbone = study.backbones[arm.backbone]
        cost, figures = backbones.step_cost(backbone.kind, backbone.options, shape), memory_and_operations(study, arm)
        if cost is None or figures is None:
            yield (*head, "", "", "", "")
            continue
        memory, operations = figures
        yield (*head, f"{cost.parameters:,}", f"{memory:,.0f}", f"{operations / 1e12:.3f}", f"{operations / 1e12 / rate:.3f}")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as text, columns aligned."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0, or 1 with the mistakes of the configuration on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m kneeoa.estimate",
        description="Estimate memory (MB, single precision, a micro-batch at a time) and time of a training step of each arm of a study.",
    )
    parser.add_argument("configuration", type=Path, help="the study's YAML file")
    parser.add_argument(
        "--rate", type=float, default=RATE, metavar="TFLOPS", help="tera-operations a second of the machine (default %(default)g)"
    )
    chosen = parser.parse_args(arguments)
    try:
        content = yaml.safe_load(chosen.configuration.read_text(encoding="utf-8"))
        study = load({key: value for key, value in content.items() if key != "pathvars"})
    except (KneeoaError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(table([COLUMNS, *estimates(study, chosen.rate)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
