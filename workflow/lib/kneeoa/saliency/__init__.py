"""Maps of what a network looks at, by several methods, on test cases, kept small and without losing
their sign or scale.
"""
