"""What goes with severity, adjusted for who the people are, and what agrees between seeds."""
