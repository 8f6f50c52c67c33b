"""The data sets, a file or folder each."""
