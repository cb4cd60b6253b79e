"""The splits stage: assign subjects to training, validation and test. Made once, into a file;
nothing downstream draws again.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.config.cohorts import Split
from kneeoa.config.hierarchy import Level, finest
from kneeoa.config.people import overlap_message
from kneeoa.errors import KneeoaError
from kneeoa.splits.apportion import apportion
from kneeoa.tables.cohort import CASES, EXCLUSIONS, LABELS, SPLITS
from kneeoa.tables.shards import VOLUMES

_LOG = logging.getLogger(__name__)

_SPLITS_GIVEN = ("train", "val", "test")


def make_splits(
    *,
    name: str,
    role: str,
    split: Split,
    levels: tuple[Level, ...],
    views: tuple[str, ...],
    cases: Path,
    labels: Path,
    volumes: list[Path],
    exclusions: list[Path],
    out_splits: Path,
    others: Sequence[Path] = (),
) -> None:
    """Divide the subjects of a cohort and write the split of each analysed case.

    A case is analysed where it has a volume in every one of ``views``, a label of the finest level
    and no exclusion of scope ``case``.

    - ``stratified``: subjects (not knees) are dealt out by the worst class of their analysed knees
      in the level ``split.stratify`` (default: the finest), in the shares ``test``, ``val`` and the
      rest, as near as whole subjects allow in each stratum and exactly (largest remainder) over
      all.
    - ``given``: the source's own test set, and its validation set; without one, validation is
      carved out of its training subjects in the share ``val``.
    - an external cohort is all test; of an unlabelled one nobody is analysed.

    Within a stratum subjects are ordered by a hash of the seed and their name, never by their place
    in a file: the result depends on the set of subjects and on nothing else, and one subject more
    moves few of the others.

    Args:
        name: the cohort's name.
        role: ``develop``, ``external`` or ``unlabelled``.
        split: how to divide.
        levels: the label hierarchy.
        views: the views that a case must have.
        cases: CASES of the cohort.
        labels: LABELS of the cohort.
        volumes: VOLUMES index of every shard of every view.
        exclusions: EXCLUSIONS tables whose rows of scope ``case`` take a case out.
        out_splits: where SPLITS is written, rows by ``case_id``.
        others: CASES of the cohorts of which the study does not say whether they have people in
            common with this one.

    Raises:
        KneeoaError: an id is in this cohort and in one of ``others``, nothing is left to analyse or
            to train on, the source gives no split where one is needed, a subject would straddle two
            splits, or ``split.stratify`` is not a level.
    """
    _check_people(cases, others)
    stratify = _stratum_level(split, levels)
    analysed = _analysed(cases, labels, volumes, exclusions, finest(levels).name, views)
    if role == "unlabelled":
        SPLITS.write(out_splits, [])
        return
    if analysed.empty:
        raise KneeoaError(f"cohort '{name}' has no case with a volume in every view and a label of '{finest(levels).name}'.")
    if role == "external":
        by_subject = dict.fromkeys(analysed["subject"], "test")
    else:
        strata = _strata(analysed, labels, stratify)
        by_subject = _follow_given(name, analysed, strata, split) if split.method == "given" else _deal(strata, _shares(split), split.seed)
        if "train" not in by_subject.values():
            raise KneeoaError(f"cohort '{name}' has {len(by_subject)} subjects to analyse, and none of them is left for training.")
    analysed = analysed.assign(split=[by_subject[subject] for subject in analysed["subject"]])
    _check_disjoint(name, analysed)
    SPLITS.write(out_splits, analysed[SPLITS.schema.names])
    _LOG.info("%s: %s", name, analysed["split"].value_counts().to_dict())
    for level in levels:
        _warn_of_gaps(name, analysed, labels, level)


def _warn_of_gaps(name: str, analysed: pd.DataFrame, labels: Path, level: Level) -> None:
    """Warn of the classes (findings) of a level that the cohort has, and one of its splits has no
    case of.
    """
    split_of = dict(zip(analysed["case_id"], analysed["split"], strict=True))
    splits: dict[int, set[str]] = defaultdict(set)
    for row in _label_rows(labels, level.name):
        if row["case_id"] in split_of:
            findings = row["value"] if level.exclusive else [place for place, entry in enumerate(row["value"]) if entry]
            for place in findings:
                if place is not None:
                    splits[place].add(split_of[row["case_id"]])
    gaps = {split: [level.classes[place] for place in sorted(splits) if split not in splits[place]] for split in _SPLITS_GIVEN}
    for split in sorted({*gaps} & set(split_of.values())):
        if gaps[split]:
            _LOG.warning("%s: %s has no case of %s of level '%s', which the cohort has", name, split, ", ".join(gaps[split]), level.name)


def _check_people(cases: Path, others: Sequence[Path]) -> None:
    mine = CASES.read(cases)
    for path in others:
        other = CASES.read(path)
        shared = set(mine["subject"]) & set(other["subject"])
        if shared:
            raise KneeoaError(overlap_message(mine["cohort"].iloc[0], other["cohort"].iloc[0], shared))


def _analysed(cases: Path, labels: Path, volumes: list[Path], exclusions: list[Path], level: str, views: tuple[str, ...]) -> pd.DataFrame:
    all_cases = CASES.read(cases).sort_values("case_id")
    labelled = {row["case_id"] for row in _label_rows(labels, level) if any(entry is not None for entry in row["value"])}
    index = VOLUMES.concat(volumes)
    out = EXCLUSIONS.concat(exclusions)
    excluded = set(out.loc[out["scope"] == "case", "case_id"])
    usable = labelled.intersection(*(set(index.loc[index["view"] == view, "case_id"]) for view in views))
    return all_cases[all_cases["case_id"].isin(usable - excluded)]


def _label_rows(labels: Path, level: str) -> list[dict[str, Any]]:
    table = LABELS.read(labels)
    rows = table[(table["level"] == level) & (table["source"] == "reader")]
    return [
        {"case_id": row["case_id"], "value": [None if pd.isna(entry) else int(entry) for entry in row["value"]]}
        for row in rows.to_dict("records")
    ]


def _stratum_level(split: Split, levels: tuple[Level, ...]) -> Level:
    wanted = split.stratify or finest(levels).name
    for level in levels:
        if level.name == wanted:
            return level
    raise KneeoaError(f"'stratify' is '{wanted}', which is not a level; the levels are {[level.name for level in levels]}.")


def _strata(analysed: pd.DataFrame, labels: Path, level: Level) -> dict[str, int]:
    """The worst class of each subject's analysed knees; -1 for a subject without a label of that
    level.

    The worst class is the last one; for a multilabel level it is the number of findings.
    """
    worst: dict[str, int] = {}
    for row in _label_rows(labels, level.name):
        read = [entry for entry in row["value"] if entry is not None]
        if read:
            worst[row["case_id"]] = read[0] if level.exclusive else sum(read)
    strata: dict[str, int] = {}
    for case_id, subject in zip(analysed["case_id"], analysed["subject"], strict=True):
        strata[subject] = max(strata.get(subject, -1), worst.get(case_id, -1))
    return strata


def _shares(split: Split) -> dict[str, Fraction]:
    # As decimals: 0.15 means 15 %, not the binary number next to it.
    test, val = Fraction(str(split.test)), Fraction(str(split.val))
    return {"test": test, "val": val, "train": 1 - test - val}


def _follow_given(name: str, analysed: pd.DataFrame, strata: dict[str, int], split: Split) -> dict[str, str]:
    given: dict[str, set[str]] = defaultdict(set)
    for subject, value in zip(analysed["subject"], analysed["given_split"], strict=True):
        given[subject].add(value if isinstance(value, str) else "none")
    for subject, values in given.items():
        if len(values) != 1 or not values <= set(_SPLITS_GIVEN):
            listed = " and ".join(sorted(values))
            raise KneeoaError(
                f"cohort '{name}': the source puts subject {subject} into {listed}; 'method: given' needs train, val or test."
            )
    if any(values == {"val"} for values in given.values()):
        return {subject: next(iter(values)) for subject, values in given.items()}
    train = {subject: stratum for subject, stratum in strata.items() if given[subject] == {"train"}}
    val = Fraction(str(split.val))
    return dict.fromkeys(set(strata) - set(train), "test") | _deal(train, {"val": val, "train": 1 - val}, split.seed)


def _deal(strata: dict[str, int], shares: dict[str, Fraction], seed: int) -> dict[str, str]:
    """The split of each subject, dealt stratum by stratum."""
    members: dict[int, list[str]] = defaultdict(list)
    for subject in sorted(strata, key=lambda subject: hashlib.sha256(f"{seed}:{subject}".encode()).digest()):
        members[strata[subject]].append(subject)
    order = sorted(members)
    counts = apportion([len(members[stratum]) for stratum in order], list(shares.values()))
    dealt: dict[str, str] = {}
    for stratum, row in zip(order, counts, strict=True):
        names = [split for split, count in zip(shares, row, strict=True) for _ in range(count)]
        dealt.update(zip(members[stratum], names, strict=True))
    return dealt


def _check_disjoint(name: str, analysed: pd.DataFrame) -> None:
    straddling = analysed.groupby("subject")["split"].nunique()
    if (straddling > 1).any():
        raise KneeoaError(f"cohort '{name}': subject {straddling.idxmax()} is in more than one split; a subject must be in exactly one.")
