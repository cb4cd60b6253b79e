"""Modes: which levels supervise and how their heads are connected, one file a mode."""
