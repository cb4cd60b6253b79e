"""Methods of saliency: one file a method, each with a function ``explain`` as the interface
says.
"""
