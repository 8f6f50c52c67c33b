"""Sound, its spectra, synthesis."""
