"""Paired statistics on plain arrays: one module a method, usable without the workflow."""
