"""Names, numbers and order of results where people read them: figures, tables, report."""
