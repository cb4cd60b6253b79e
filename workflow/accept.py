"""`make accept`: prove that an edit of the code changes no result, and record it, so that finished
studies stay finished.

    python workflow/accept.py                       # working tree against the last commit
    python workflow/accept.py --since v1.2          # against another revision
    python workflow/accept.py --configfile my.yaml  # on another study than the small one

The study is run in a copy of the old revision. Its results are copied into a copy of the working
tree, where Snakemake makes again what the edit touches and nothing else. Every file that was made
again must have the same bytes (except for NOT_COMPARED). Then the new digest of each rule's code is
written into `workflow/accepted.json` as equal to the old one. If one file differs, nothing is
written. The proof holds for the code that the study uses.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

from kneeoa.errors import KneeoaError  # noqa: E402
from kneeoa.reruns import accepted_digests  # noqa: E402
from kneeoa.reruns.compare_results import changed_digests, differing_outputs  # noqa: E402
from kneeoa.reruns.snakemake_records import RECORDS  # noqa: E402

RECORD = Path("workflow") / "accepted.json"


def main(arguments: list[str] | None = None) -> int:
    """Accept the working tree's code, or print why not; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--since", default="HEAD", help="the revision whose results are compared (default: the last commit)")
    parser.add_argument("--configfile", default="tests/small.yaml", help="the study that proves it, a file of the working tree")
    parser.add_argument("--cores", default="all")
    parser.add_argument("--finished", type=Path, help="a copy of the old revision in which the study is finished already")
    options = parser.parse_args(arguments)
    study = (ROOT / options.configfile).resolve()
    with tempfile.TemporaryDirectory(prefix="kneeoa-accept-") as folder:
        try:
            before = options.finished or _run_revision(Path(folder, "before"), options.since, study, options.cores)
            after = copy_tree(ROOT, Path(folder, "after"))
            for name in ("results", ".snakemake"):
                shutil.copytree(before / name, after / name, dirs_exist_ok=True, symlinks=True)
            _run(after, study, options.cores)
            accept(before, after, ROOT / RECORD)
        except KneeoaError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def accept(before: Path, after: Path, record: Path) -> None:
    """Compare two clones in which a study is finished, and add the later one's code digests to
    ``record`` as equal to the earlier ones.

    Raises:
        KneeoaError: a result differs, or something other than code was edited.
    """
    changed = changed_digests(before / RECORDS, after / RECORDS)
    different = differing_outputs(before, after, [output for outputs in changed.values() for output in outputs])
    if different:
        raise KneeoaError("Nothing is accepted, since results differ:\n" + "\n".join(f"  - {words}" for words in different))
    accepted_digests.write(record, accepted_digests.add(accepted_digests.read(record), changed))
    print(f"{sum(map(len, changed.values()))} files made again, all equal; {len(changed)} codes accepted in {record.name}:")
    print("\n".join(f"  {change.script}: {change.old} -> {change.new}" for change in sorted(changed)))


def _run_revision(folder: Path, revision: str, study: Path, cores: str) -> Path:
    """Copy a revision into ``folder`` and run the study there."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True)
    if archive.returncode:
        raise KneeoaError(f"'{revision}' is no revision of this repository: {archive.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    _run(folder, study, cores)
    return folder


def copy_tree(source: Path, target: Path) -> Path:
    """Copy what git tracks or would track of the working tree."""
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=source, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (source / name).is_symlink() or (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name, follow_symlinks=False)
    return target


def _run(folder: Path, study: Path, cores: str) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", cores, "--configfile", str(study)]
    variables = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "SNAKEMAKE_PROFILE"}}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise KneeoaError(f"The study does not run to its end, so nothing can be compared:\n{(done.stdout + done.stderr)[-3000:]}")


if __name__ == "__main__":
    sys.exit(main())
