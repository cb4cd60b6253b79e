"""How results are called, numbered and ordered where people read them: figures, tables, report."""
