"""Radiographs: reading and displaying them, finding and cutting out the knee."""
