"""Plug-in modules: networks between a backbone's feature maps and the answers of every level, one
file a kind.
"""
