"""Backbones (encoders): one file a kind, its options in ``options/``; ``registry`` imports a kind
only when it is built.
"""
