"""
What is done when a run begins: its codes are written down, and Snakemake's scheduler is kept from
busying itself. No rule here.

REQUIRED INPUTS: none
OUTPUTS: none
UNDECLARED: results/<study>/code/<digest>.json, what each digest of code was made from
"""

from kneeoa.reruns import code_record


onstart:
    # Snakemake allows 100 job starts a second, and to keep to that wakes its scheduler again a
    # second after each time that it looked, and once more whenever a job ends (its pull request
    # 3744): where jobs wait, hundreds of looks a second after some hundred jobs, each with the
    # sizes of all their inputs. Neither a machine nor a queue takes 100 jobs a second, so that
    # limit goes; a lower one stays.
    limit = getattr(workflow.scheduler, "job_rate_limiter", None)
    if limit and limit.max_jobs >= 100 * limit.timespan:
        workflow.scheduler.job_rate_limiter = None
    if workflow.is_main_process:
        code_record.write(CODE_RECORDS, CODES)
