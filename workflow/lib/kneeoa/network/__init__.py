"""A backbone and its heads as one network, its specification, and its two files (weights and
description).
"""
