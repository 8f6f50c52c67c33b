"""Building blocks of sequential autoencoders: encoders, decoders, transitions, sampling, standardisation."""
