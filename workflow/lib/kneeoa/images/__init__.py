"""Turn raw image files into canonical volumes, aligned masks and input grids; array and affine
always stay together.
"""
