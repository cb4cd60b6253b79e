"""From raw image files to canonical volumes, aligned masks and input grids: array and affine always
travel together.
"""
