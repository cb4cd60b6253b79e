"""Runs that were copied here without Snakemake's record of them are believed by what they say of
themselves.
"""

from kneeoa import copied
from kneeoa.reruns import code_record
from kneeoa.snakemake_records import RECORDS


def copied_runs():
    """What differs, for each run that lies here, is not in Snakemake's record, and disagrees with
    what it would be made from.
    """
    stale = {}
    for arm, seed in [(arm.name, seed) for arm in STUDY.arms_table() for seed in STUDY.seeds]:
        run = f"{LAYOUT.root}/runs/{arm}/seed-{seed}"
        if os.path.exists(f"{run}/run.json") and not copied.remembered(RECORDS, f"{run}/weights.safetensors"):
            expected = run_made_from(arm)
            words = copied.disagreements(
                Path(f"{run}/run.json"),
                expected,
                lambda digest: code_record.describe_change(CODE_RECORDS, digest, CODES[expected["code"]]),
            )
            stale.update({f"{run}/weights.safetensors": words} if words else {})
    return stale


if workflow.is_main_process and os.getenv("KNEEOA_COPIED") != "known":
    STALE = copied_runs()
    if STALE:
        raise WorkflowError(copied.sentence(STALE))
