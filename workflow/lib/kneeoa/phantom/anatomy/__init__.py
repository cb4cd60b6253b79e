"""A parametric knee as implicit functions of millimetres, which can be rendered on any grid."""
