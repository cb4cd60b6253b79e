"""Options of each kind of backbone, separate from the networks so that a configuration is checked
without torch.
"""
