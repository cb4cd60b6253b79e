"""Options of each kind of backbone, apart from the networks so that a configuration is checked
without torch.
"""
