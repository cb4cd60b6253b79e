"""Selections of the plug-ins that choose locations, one file a kind; a kind without a file chooses
none. Apart from the plug-ins, so that no network is trained again for what is shown of it.
"""
