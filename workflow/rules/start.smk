"""
What is done when a run begins: its codes are written down, and Snakemake's scheduler is kept from
busying itself. No rule here.

REQUIRED INPUTS: none
OUTPUTS: none
UNDECLARED: results/<study>/code/<digest>.json, what each digest of code was made from
"""

from kneeoa.reruns import code_record


include: "../inputs/start.smk"


onstart:
    lift_start_limit()
    if workflow.is_main_process:
        code_record.write(CODE_RECORDS, CODES)
