"""Compare saliency maps with tissues: overlap measures with chance levels and nulls, contrasts
between arms, sanity checks.
"""
