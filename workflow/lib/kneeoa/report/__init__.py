"""One self-contained HTML report that tells a study's story in order."""
