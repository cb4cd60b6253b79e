"""Ways to make a map of what a network looks at: one file a method, each a function ``explain`` as
the interface says.
"""
