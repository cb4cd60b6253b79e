"""Edits that change no result, edits of raw files, and upgrades of packages."""

from __future__ import annotations

from dataclasses import replace

from tests.rerun.row import CLINIC, SMALL, WIDE, Row
from tests.rerun.rules import FIGURES, IMAGES, OF_PLUGINS

LIBRARY = "workflow/lib/kneeoa"
NOTHING: frozenset[str] = frozenset()


def upgraded(lock: str, package: str, old: str, first: set[str]) -> Row:
    """Another version of a package in a lock."""
    return Row(
        f"{lock}: another {package}", frozenset(first), SMALL, file=f"envs/{lock}", replace=(f"{package}=={old}", f"{package}==99.0")
    )


CHECKED = """
    checked = _parse_options(kind, options)
    try:
        checked.check_shape(shape)
    except ValueError as error:
        raise KneeoaError(str(error)) from error
    return checked
"""

INERT = [
    Row("a comment", NOTHING, file=f"{LIBRARY}/backbones/m3t.py", replace=("import torch\n", "import torch  # here\n")),
    Row("a docstring", NOTHING, file=f"{LIBRARY}/statistics/delong.py", replace=('"""', '"""Another word. ')),
    Row("formatting", NOTHING, file=f"{LIBRARY}/figures/roc.py", replace=("\n\n\n", "\n\n\n\n\n")),
    Row("touch: a module", NOTHING, file=f"{LIBRARY}/training/run.py"),
    Row("touch: a script", NOTHING, file="scripts/train_run.py"),
    Row("touch: the Snakefile", NOTHING, file="Snakefile"),
    Row("a constant that nothing reaches", NOTHING, file=f"{LIBRARY}/atomic_io.py", replace=("\n\n\n", "\n\n\nEDITED = True\n\n\n")),
    Row(
        "a local variable's name",
        NOTHING,
        file=f"{LIBRARY}/backbones/registry.py",
        replace=(CHECKED, CHECKED.replace("checked", "options_of_kind")),
    ),
    Row("an import that nothing uses", NOTHING, file=f"{LIBRARY}/atomic_io.py", replace=("import json\n", "import json\nimport math\n")),
    Row("a sentence of an error", NOTHING, file=f"{LIBRARY}/errors.py", replace=("class ", "EDITED = True\n\n\nclass ")),
    Row("a comment of the configuration", NOTHING, file=SMALL, replace=("study: small", "study: small  # here")),
]


def raw(name: str, file: str, replace: tuple[str, str] = ("", "")) -> Row:
    """An edit of the raw files of the wide study's radiographs. Bytes are not read at parse: a file
    is its path, size and time stamp.
    """
    first = {"read_cohort"} if name.startswith("one label") else {"read_cohort", "describe_shard volumes"}
    return Row(name, frozenset(first), WIDE, file=file, replace=replace, without=CLINIC)


RAW = [
    raw("one label row changed", "raw/knees.csv", ("P03.dcm,3,3", "P03.dcm,3,4")),
    raw(
        "one subject added",
        "raw/knees.csv",
        ("P11,", "P12,files/P11.dcm,1,1,00m,pa,files/P11.dcm,files/P11.dcm,10,10,train,A,F,60,1,R,P12,1,1,1,1\nP11,"),
    ),
    raw("one raw image altered", "raw/files/P03.dcm", ("", "other bytes")),
    raw("one raw image touched", "raw/files/P04.dcm"),
]

MONAI = replace(
    upgraded("train.txt", "monai", "1.6.1", IMAGES - {"deletion"}),
    study=WIDE,
    arms=frozenset({"densenet121-dual", "swin-dual"}),
    without=frozenset(OF_PLUGINS | {"ensemble", "figure saliency"}),
)
"""Two backbones are built on it."""

PACKAGES = [
    upgraded("analysis.txt", "matplotlib", "3.11.2", FIGURES | {"quality"}),
    upgraded("analysis.txt", "scikit-learn", "1.9.1", {"geometry", "geometry_baselines"}),
    upgraded("analysis.txt", "pingouin", "0.7.0", {"anatomy", "associations", "deletion_summary", "sanity"}),
    upgraded("analysis.txt", "fonttools", "4.68.0", set()),
    MONAI,
    upgraded(
        "train.txt",
        "pydicom",
        "3.0.2",
        {"phantom_images", "describe_shard volumes", "describe_shard masks", "make_volumes", "make_masks"},
    ),
    upgraded("train.txt", "pyarrow", "26.0.1", set()),
]
"""A version counts where a definition that the rule reaches uses the package; pydantic, pyarrow and
safetensors carry numbers and count nowhere.
"""

ROWS = [*INERT, *RAW, *PACKAGES]
