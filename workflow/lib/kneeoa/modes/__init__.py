"""How the levels supervise and how the heads sit: one file per mode, named in ``registry``."""
