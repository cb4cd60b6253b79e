"""A parametric knee as implicit functions of millimetres: it can be rendered on any grid, and later
projected.
"""
