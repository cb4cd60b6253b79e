"""The paper's tables: CSV for machines, LaTeX (booktabs) for the manuscript; one module a table."""
