"""Make maps of the same cases with randomised weights: a map that does not change depends on the
image, not on the network.

Adebayo et al. 2018, cascading from the output towards the input, in three depths.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from kneeoa.network.model import ModelSpec, Network, build, load
from kneeoa.saliency.cases import explained_cases, explained_score, true_classes
from kneeoa.saliency.explain import SaliencyRun, explain_cases
from kneeoa.saliency.storage import create_maps, kept_shape
from kneeoa.tables.saliency import SALIENCY
from kneeoa.training.device import reproducible
from kneeoa.training.seeding import Purpose, derive_seed
from kneeoa.training.shards import Shards

_log = logging.getLogger(__name__)

DEPTHS = {"heads": 0.0, "half": 0.5, "all": 1.0}
"""Depth -> the share of the backbone's layers, counted from the last, whose weights are randomised;
those of the heads always are.
"""


def randomise(network: Network, spec: ModelSpec, depth: str, seed: int) -> None:
    """Replace weights of ``network`` by fresh ones, such as another training of ``spec`` would
    start from.

    Layers are the backbone's modules that have weights, in the order in which it declares them;
    statistics of batch normalisation are reset with the weights that they belong to. Draws from
    torch's global generator, which is seeded here.

    Args:
        network: a trained network.
        spec: its specification.
        depth: one of ``DEPTHS``.
        seed: of the run; the fresh weights are not those that the run itself started from.
    """
    torch.manual_seed(derive_seed(seed, Purpose.WEIGHTS, 1))
    fresh = build(spec).state_dict()
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in fresh if name.startswith("backbone.")))
    kept = set(layers[: round(len(layers) * (1 - DEPTHS[depth]))])
    state = network.state_dict()
    network.load_state_dict({name: state[name] if name.rpartition(".")[0] in kept else value for name, value in fresh.items()})


def explain_randomised(
    *,
    run: SaliencyRun,
    folder: Path,
    arrays: list[Path],
    indices: list[Path],
    splits: list[Path],
    labels: list[Path],
    threads: int,
    out_maps: Path,
    out_index: Path,
) -> None:
    """Explain the first ``run.saliency.randomised`` test cases of each cohort at every depth of
    ``DEPTHS``.

    Arguments and errors as :func:`kneeoa.saliency.explain.explain_run`; the index has the depth of
    each map in ``weights``. The cases are the same for every run, and among those that are
    explained with trained weights.
    """
    few = run.saliency.randomised if run.saliency.cases is None else min(run.saliency.randomised, run.saliency.cases)
    with reproducible(threads) as device:
        network, spec = load(folder, str(device))
        shards = Shards(arrays, indices, spec.shape)
        cases = explained_cases(shards.locate(splits), few)
        cases, classes = true_classes(cases, explained_score(run.target, network), labels)
        rows: list[dict[str, Any]] = []
        with create_maps(out_maps, len(cases) * len(DEPTHS), kept_shape(spec.shape, run.saliency.keep)) as maps:
            for depth in DEPTHS:
                changed, _ = load(folder, str(device))
                randomise(changed, spec, depth, run.seed)
                for case in explain_cases(run, changed, shards, cases, classes, device):
                    maps[len(rows)] = case.stored
                    rows.append(case.row | {"row": len(rows), "weights": depth})
        _log.info("explained %d cases at %d depths of randomised weights", len(cases), len(DEPTHS))
    SALIENCY.write(out_index, rows)
