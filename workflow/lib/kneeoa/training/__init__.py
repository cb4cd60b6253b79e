"""Training: cases into batches, batches into weights; one run is one arm and one seed."""
