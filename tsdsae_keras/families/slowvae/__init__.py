"""SlowVAE, the beta-VAE and three baselines: factors of images from pairs of frames."""
