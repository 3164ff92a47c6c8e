"""Networks, likelihoods, training and inference."""
