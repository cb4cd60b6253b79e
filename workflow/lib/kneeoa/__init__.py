"""kneeoa: does coarse-to-fine supervision change what a knee-MRI network predicts, represents and
looks at?

The library does not depend on Snakemake. Each folder is one axis of variation or one stage of the
workflow; see ``docs/design.md`` for the words, the data flow and the contracts.
"""
