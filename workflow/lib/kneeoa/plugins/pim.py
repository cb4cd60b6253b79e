"""The plug-in module, PIM (Chou et al. 2022, arXiv 2202.03822): heads on every location of a
feature pyramid, and a graph that combines the locations of which they are surest.

Its parts are the heads of each map, whose logits are averaged over its locations, and the combiner.
The answer is the mean of the parts' probabilities, always of all of them. Each level of the
hierarchy has heads, a selection and a combiner of its own on one pyramid; in a stacked mode the
finest level alone has them, and every coarser level's outputs are a linear layer on the next finer
one's at each part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.pretrained import LoadedWeights
from kneeoa.heads.interface import Supervision
from kneeoa.heads.losses.interface import MISSING, Criterion
from kneeoa.plugins.interface import Chain, Maps, PluginHeads
from kneeoa.plugins.location_layers import DROPOUT, Combiner, Tower
from kneeoa.plugins.options.pim import LossWeights, Options
from kneeoa.plugins.public_layout import load_public
from kneeoa.plugins.pyramid import Pyramid
from kneeoa.plugins.selection import rank_locations, take_locations, unchosen

CASES = ".cases"
"""Suffix of a level's name in :meth:`Pim.terms`: the number of its labelled outputs."""


@dataclass
class LevelParts:
    """Outputs of the parts of a level for a batch, at every location."""

    locations: list[Tensor]
    """Outputs of each map's head, ``[batch, locations, outputs]``, fine to coarse."""
    ranks: list[Tensor]
    """Locations of each map by their scores, highest first, int64 ``[batch, locations]``."""
    combiner: Tensor
    """Outputs of the combiner, ``[batch, outputs]``."""


class Select(nn.Module):
    """The heads of one level on every map, its selection, and its combiner."""

    def __init__(self, criterion: Criterion, width: int, select: Sequence[int]) -> None:
        super().__init__()
        self.criterion, self.select = criterion, tuple(select)
        self.towers = nn.ModuleList(Tower(width, criterion.head(width)) for _ in select)
        self.combiner = Combiner(width, sum(select))
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = criterion.head(width)

    def forward(self, pyramid: Sequence[Tensor]) -> tuple[Tensor, LevelParts]:
        """The combiner's embedding ``[batch, width]``, before dropout, and the parts, from features
        ``[batch, locations, width]`` of every map.
        """
        outputs = [tower(features) for tower, features in zip(self.towers, pyramid, strict=True)]
        ranks = [rank_locations(self.criterion, each) for each in outputs]
        chosen = [take_locations(*each) for each in zip(pyramid, self._first(ranks), strict=True)]
        embedding = self.combiner(torch.cat(chosen, dim=1))
        return embedding, LevelParts(outputs, ranks, self.classifier(self.dropout(embedding)))

    def _first(self, ranks: Sequence[Tensor]) -> list[Tensor]:
        return [each[:, :number] for each, number in zip(ranks, self.select, strict=True)]


class Stacked(nn.Module):
    """The outputs of a coarser level at every part, each a layer on the finer level's there; the
    chosen locations are the finer level's.
    """

    def __init__(self, criterion: Criterion, finer: int, parts: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(criterion.head(finer) for _ in range(parts))

    def forward(self, parts: LevelParts) -> LevelParts:
        """The coarser level's parts from the finer one's."""
        *towers, combiner = self.layers
        locations = [layer(each.flatten(0, 1)).reshape(*each.shape[:2], -1) for layer, each in zip(towers, parts.locations, strict=True)]
        return LevelParts(locations, parts.ranks, combiner(parts.combiner))


class Pim(PluginHeads):
    """The plug-in module on the maps of one backbone.

    A level's outputs (:meth:`read`) are rows of one tensor ``[batch, rows, outputs]``: the mean
    logits of each map, the combiner's, the mean squared distance of each map's unchosen logits from
    what is asked of them, and the logits of the chosen locations. Answer and loss follow from
    these, so a split's are a few kilobytes a case however large its maps are.
    """

    def __init__(self, options: Options, supervisions: tuple[Supervision, ...], maps: Maps, dimensions: int, chain: Chain) -> None:
        """Make the layers with fresh weights drawn from torch's global generator.

        Args:
            options: of the kind.
            supervisions: of each level, coarse to fine.
            maps: what the backbone gives.
            dimensions: axes of the image, on which the default width depends.
            chain: how the heads of several levels sit.

        Raises:
            ValueError: a map has fewer locations than are to be chosen, or too few are chosen.
        """
        super().__init__(supervisions, maps)
        options.check_maps(maps.sizes)
        width = options.width_of(dimensions)
        self.select = options.selected(len(maps.sizes))
        self.term_weights: LossWeights = options.weights
        self.pretrained = options.weights_file()
        self.pyramid = Pyramid(maps.widths, maps.sizes, width)
        fine_to_coarse = [each.criterion for each in supervisions[::-1]]
        whole = fine_to_coarse[:1] if chain == "stacked" else fine_to_coarse
        self.selections = nn.ModuleDict({each.level.name: Select(each, width, self.select) for each in whole})
        pairs = pairwise(fine_to_coarse) if chain == "stacked" else ()
        self.stacked = nn.ModuleDict(
            {coarse.level.name: Stacked(coarse, fine.outputs, len(self.select) + 1) for fine, coarse in pairs},
        )

    def load_pretrained(self) -> LoadedWeights | None:
        """Load the file in the published layout that the options name, whose maps are ``layer1``,
        ``layer2`` and so on; None where they name none.

        Raises:
            KneeoaError: the file cannot be read or does not fit.
        """
        if self.pretrained is None:
            return None
        return load_public(self, self.pretrained, [f"layer{number}" for number in range(1, len(self.select) + 1)])

    def parts(self, maps: Sequence[Tensor]) -> tuple[Tensor, dict[str, LevelParts]]:
        """The embedding ``[batch, width]`` and the parts of each level, coarse to fine, from maps
        ``[batch, locations, channels]``.

        The embedding is the input of the combiner's classifier, before dropout; where several
        levels have a combiner, theirs one after the other, coarse to fine.
        """
        pyramid = self.pyramid(maps)
        embeddings: dict[str, Tensor] = {}
        parts: dict[str, LevelParts] = {}
        finer = ""
        for name in reversed(self.levels):
            if name in self.stacked:
                parts[name] = self.stacked[name](parts[finer])
            else:
                embeddings[name], parts[name] = self.selections[name](pyramid)
            finer = name
        return torch.cat(list(embeddings.values())[::-1], dim=1), {name: parts[name] for name in self.levels}

    def read_maps(self, maps: Sequence[Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The embedding and each level's outputs ``[batch, rows, outputs]``."""
        embedding, parts = self.parts(maps)
        return embedding, {name: self.pack(each) for name, each in parts.items()}

    def pack(self, parts: LevelParts) -> Tensor:
        """The rows of a level's outputs from its parts; in single precision at least."""
        means, penalties, chosen = [], [], []
        for outputs, ranks, number in zip(parts.locations, parts.ranks, self.select, strict=True):
            precise = outputs.double() if outputs.dtype == torch.float64 else outputs.float()
            first, count = ranks[:, :number], outputs.shape[1]
            means.append(precise.mean(dim=1))
            distances = (precise.tanh() + 1).square() * unchosen(count, first)[:, :, None]
            penalties.append(distances.sum(dim=1) / max(1, count - number))
            chosen.append(take_locations(precise, first))
        combiner = parts.combiner.to(means[0].dtype)
        return torch.cat([torch.stack([*means, combiner, *penalties], dim=1), *chosen], dim=1)

    def parts_of(self, name: str) -> tuple[str, ...]:
        """The maps, fine to coarse, and the combiner."""
        return (*(f"map-{number}" for number in range(1, len(self.select) + 1)), "combiner")

    def part_outputs(self, outputs: Tensor) -> Tensor:
        """The rows of a level's outputs that answer: ``[batch, parts, outputs]``, the maps' means,
        fine to coarse, and the combiner's.
        """
        return outputs[:, : len(self.select) + 1]

    def part_class_logits(self, name: str, outputs: Tensor) -> Tensor:
        """Class logits of each part by itself, ``[batch, parts, classes]``."""
        parts = self.part_outputs(outputs)
        return self.criteria[name].class_logits(parts.flatten(0, 1)).reshape(*parts.shape[:2], -1)

    def class_logits(self, logits: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logarithms ``[batch, classes]`` of the mean over the parts of each level's probabilities;
        of a multilabel level the log-odds of each finding's.
        """
        return {name: self._answer(name, self.part_class_logits(name, outputs)) for name, outputs in logits.items()}

    def _answer(self, name: str, logits: Tensor) -> Tensor:
        if self.levels[name].exclusive:
            return _log_mean(logits.log_softmax(dim=2))
        return _log_mean(functional.logsigmoid(logits)) - _log_mean(functional.logsigmoid(-logits))

    def terms(self, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Number of terms of each level's loss, and under its name with :data:`CASES` the number of
        its outputs that have a label, int64 scalars.
        """
        cases = {name + CASES: self._labelled(name, labels[name]).sum() for name in self.levels}
        return {**super().terms(labels), **cases}

    def loss(
        self, logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], terms: Mapping[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """As :meth:`Heads.loss`: a level's loss is the weighted sum of :meth:`loss_terms`."""
        each = self.loss_terms(logits, labels, terms)
        factors = self.term_weights.model_dump()
        losses = {name: torch.stack([factors[term] * value for term, value in values.items()]).sum() for name, values in each.items()}
        return {**losses, "total": torch.stack([self.weights[name] * value for name, value in losses.items()]).sum()}

    def loss_terms(
        self, logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], terms: Mapping[str, Tensor] | None = None
    ) -> dict[str, dict[str, Tensor]]:
        """The terms of each level's loss, before their weights (scalars).

        ``levels``: the sum over maps of the level's loss of the mean logits. ``selected``: of the
        chosen locations' logits, each with its image's label, a mean over images and locations.
        ``dropped``: the sum over maps of the mean squared distance of the other locations' outputs,
        after tanh, from -1; 0 for a map of which all locations are chosen. ``combiner``: the
        level's loss of the combiner. A case without a label has no part in any.

        Args:
            logits, labels, terms: as :meth:`loss` takes them.

        Raises:
            KneeoaError: the labels of a supervised level are not given.
        """
        self._check_given(labels)
        return {name: self._level_terms(name, logits[name], labels[name], terms) for name in self.levels}

    def _level_terms(self, name: str, outputs: Tensor, labels: Tensor, terms: Mapping[str, Tensor] | None) -> dict[str, Tensor]:
        criterion, maps = self.criteria[name], len(self.select)
        class_weights, count = self.class_weights.get(name), None if terms is None else terms[name]
        means, combiner, penalties, chosen = torch.split(outputs, [maps, 1, maps, sum(self.select)], dim=1)
        labelled = self._labelled(name, labels)
        cases = (labelled.sum() if terms is None else terms[name + CASES].to(outputs.device)).clamp(min=1)
        selected = []
        for part, number in zip(torch.split(chosen, list(self.select), dim=1), self.select, strict=True):
            repeated, total = labels.repeat_interleave(number, dim=0), None if count is None else count * number
            selected.append(criterion.loss(part.flatten(0, 1), repeated, total, class_weights))
        return {
            "levels": torch.stack([criterion.loss(mean, labels, count, class_weights) for mean in means.unbind(dim=1)]).sum(),
            "selected": torch.stack(selected).sum(),
            "dropped": torch.where(labelled[:, None], penalties, 0.0).sum() / cases,
            "combiner": criterion.loss(combiner.squeeze(1), labels, count, class_weights),
        }

    def _labelled(self, name: str, labels: Tensor) -> Tensor:
        """Whether each output has a label, bool ``[batch, outputs]``: a finding's own, else the
        case's.
        """
        return (labels != MISSING).reshape(len(labels), -1).expand(-1, self.criteria[name].outputs)


def _log_mean(logarithms: Tensor) -> Tensor:
    """The logarithm of the mean over parts, ``[batch, classes]``, of ``[batch, parts, classes]``
    logarithms.
    """
    return logarithms.logsumexp(dim=1) - math.log(logarithms.shape[1])


def build(options: Options, supervisions: tuple[Supervision, ...], maps: Maps, dimensions: int, chain: Chain) -> PluginHeads:
    """The module for the maps of a backbone."""
    return Pim(options, supervisions, maps, dimensions, chain)
