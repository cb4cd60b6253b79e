"""
Actions when a run of the workflow begins: write what each digest of code is made from, and lift
Snakemake's limit on job starts. No rule here.

REQUIRED INPUTS: none
OUTPUTS: none
UNDECLARED: results/<study>/code/<digest>.json, what each digest of code is made from
"""

from kneeoa.reruns import code_record


include: "../inputs/start.smk"


onstart:
    lift_start_limit()
    if workflow.is_main_process:
        code_record.write(CODE_RECORDS, CODES)
