"""
REQUIRED INPUTS:
OUTPUTS:
"""

rule report:
    output: "<out>/report.html"
