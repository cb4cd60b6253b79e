"""
The checked configuration, and what rules need from it. No rules here.

REQUIRED INPUTS: config
OUTPUTS: STUDY (typed configuration), LAYOUT (paths), functions that give rules their slice of the
         configuration
"""

import os
import re
from functools import cache

from snakemake.exceptions import WorkflowError

from kneeoa.reruns import accepted_digests
from kneeoa import figures_and_tables
from kneeoa.config.study import load
from kneeoa.config.yaml_keys import check_keys
from kneeoa.errors import KneeoaError
from kneeoa.atomic_io import digest
from kneeoa.layout import Layout
from kneeoa.levels import registry as level_kinds
from kneeoa.reruns.code_digest import Library, digest_of, pinned, load_cache
from kneeoa.reruns.renames import Renames

try:
    for file in workflow.overwrite_configfiles or workflow.configfiles:
        check_keys(Path(file))
    STUDY = load({key: value for key, value in config.items() if key != "pathvars"})
    ACCEPTED = accepted_digests.read(Path(workflow.basedir) / "workflow" / "accepted.json")
    CODE = Library(
        Renames.read(Path(workflow.basedir) / "workflow" / "renamed.json"),
        {"kneeoa.levels.registry:declaration": level_kinds.code_modules(level.kind for level in STUDY.levels)},
    )
    FIGURES, TABLES = figures_and_tables.figures(), figures_and_tables.tables()
except KneeoaError as error:
    raise WorkflowError(str(error)) from None
LAYOUT = Layout(STUDY)
CODES = {}  # digest of code -> the parts that it is made from
CODE_RECORDS = Path(LAYOUT.root) / "code"
PINS = pinned(Path(workflow.basedir) / "envs")
load_cache(Path(".snakemake/code.json").absolute())

# Jobs (`script:`) start a fresh Python: this is how it finds the library of this clone.
os.environ.update(PYTHONPATH=os.pathsep.join([LIBRARY, *filter(None, [os.getenv("PYTHONPATH")])]))


def one_of(names):
    """A wildcard's pattern that matches exactly these names (nothing, where there are none)."""
    return "|".join(re.escape(str(name)) for name in names) or "(?!)"


def code(script, modules=(), files=()):
    """The digest of a script, of all library code that it reaches, and of the pinned packages that
    this code imports.

    Each rule has it in `params.code`. Where `accept` proved the code equal to an older one, it is
    the older digest.
    """
    return _code(script, tuple(modules), tuple(map(str, files)))


@cache
def _code(script, modules, files):
    parts = CODE.code_parts(Path(workflow.basedir) / "scripts" / f"{script}.py", modules, files, PINS)
    oldest = accepted_digests.resolve(ACCEPTED, script, digest_of(parts))
    CODES[oldest] = parts
    return oldest


def plain(section):
    """A section of the configuration as plain values, for params."""
    return section.model_dump(mode="json")


LEVELS = [plain(level) for level in STUDY.levels]


def memory(kind):
    """Megabytes for one kind of work, doubling with each attempt."""
    return lambda wildcards, attempt: getattr(STUDY.resources, kind).memory_mb * 2 ** (attempt - 1)


def minutes(kind):
    """Minutes for one kind of work, doubling with each attempt."""
    return lambda wildcards, attempt: getattr(STUDY.resources, kind).minutes * 2 ** (attempt - 1)


def name_of(level):
    """The name of a level; None without one."""
    return level.name if level is not None else None
