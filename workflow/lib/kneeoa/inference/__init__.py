"""Predictions and embeddings of every case by trained runs."""
