"""What a trained run says of every case: predictions and embeddings."""
