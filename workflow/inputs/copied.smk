"""Check runs that were copied here without Snakemake's records by what they recorded
themselves.
"""

from kneeoa.reruns import copied_results
from kneeoa.reruns import code_record
from kneeoa.reruns.snakemake_records import RECORDS


def copied_runs():
    """Differences of each run that exists, is not in Snakemake's records, and was made from
    something else than it would be now.
    """
    stale = {}
    for arm, seed in [(arm.name, seed) for arm in STUDY.arms_table() for seed in STUDY.seeds]:
        run = f"{LAYOUT.root}/runs/{arm}/seed-{seed}"
        if os.path.exists(f"{run}/run.json") and not copied_results.has_snakemake_record(
            RECORDS, f"{run}/weights.safetensors"
        ):
            expected = run_made_from(arm)
            words = copied_results.disagreements(
                Path(f"{run}/run.json"),
                expected,
                lambda digest: code_record.describe_change(CODE_RECORDS, digest, CODES[expected["code"]]),
            )
            stale.update({f"{run}/weights.safetensors": words} if words else {})
    return stale


if workflow.is_main_process and os.getenv("KNEEOA_COPIED") != "known":
    STALE = copied_runs()
    if STALE:
        raise WorkflowError(copied_results.stale_message(STALE))
