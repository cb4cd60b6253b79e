"""Options of plug-ins, one file a kind; they import no torch."""
