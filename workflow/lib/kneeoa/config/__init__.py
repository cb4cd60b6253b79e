"""The configuration: typed sections that refuse unknown keys, one file a section; ``study.load``
turns a mapping into a :class:`~kneeoa.config.study.Study`.
"""
