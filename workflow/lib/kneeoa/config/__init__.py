"""The configuration: typed, closed, one file a section; ``study.load`` turns a mapping into a
:class:`~kneeoa.config.study.Study`.
"""
