"""Provenance of results: the jobs that made them, and an RO-Crate that describes them."""
