"""Report of a study: one self-contained HTML page of sentences, figures and tables."""
