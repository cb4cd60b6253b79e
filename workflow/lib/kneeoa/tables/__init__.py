"""Schemas of the tables that stages exchange: one module a table, each an explicit pyarrow schema,
validated on write and on read.
"""
