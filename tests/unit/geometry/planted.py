"""Tables of a run whose geometry is known."""

from pathlib import Path

import numpy as np
import pandas as pd

from kneeoa.config.hierarchy import Level
from kneeoa.tables.cohort import LABELS, TRUTH
from kneeoa.tables.runs import embeddings

LEVELS = (
    Level(name="oa", kind="binary", classes=("no", "yes")),
    Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1)),
)


def cases(train: int = 150, test: int = 100, seed: int = 0) -> pd.DataFrame:
    """One row per case: two knees for every third subject, severity in [0, 1] and its grade."""
    generator = np.random.default_rng(seed)
    number = train + test
    frame = pd.DataFrame({"cohort": "made", "split": ["train"] * train + ["test"] * test, "case_id": [f"c{i:04d}" for i in range(number)]})
    frame["subject"] = [f"{frame['split'][i]}{i - (i % 3 == 1)}" for i in range(number)]
    frame["severity"] = generator.uniform(size=number)
    frame["grade"] = np.minimum((frame["severity"] * 5).astype(int), 4)
    return frame


def write(folder: Path, frame: pd.DataFrame, values: np.ndarray) -> dict[str, Path]:
    """Write the embeddings, labels and truth of ``frame``; a grade of -1 has no label."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.parquet" for name in ("embeddings", "labels", "truth")}
    table = frame[["cohort", "split", "case_id", "subject"]].assign(study="s", arm="a", seed=1, embedding=list(values.astype(np.float32)))
    embeddings(values.shape[1]).write(paths["embeddings"], table)
    labels = []
    for row in frame[frame["grade"] >= 0].to_dict("records"):
        for level, value in (("oa", int(row["grade"] >= 2)), ("kl", row["grade"])):
            labels.append(
                {
                    "cohort": row["cohort"],
                    "case_id": row["case_id"],
                    "level": level,
                    "source": "reader",
                    "value": [value],
                    "readings": 1,
                    "disagreement": False,
                }
            )
    LABELS.write(paths["labels"], labels)
    truth = frame[["cohort", "case_id", "subject"]].assign(
        side="R", latent_severity=frame["severity"], true_grade=frame["grade"], read_grade=frame["grade"]
    )
    TRUTH.write(paths["truth"], truth.astype(object).reindex(columns=TRUTH.schema.names, fill_value=None))
    return paths
