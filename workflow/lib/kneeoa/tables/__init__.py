"""Schemas of the tables that stages exchange: one module a stage, each table an explicit pyarrow
schema, validated on write and on read.
"""
