"""Training of one run, which is one arm and one seed: data, batches, steps, state and record."""
