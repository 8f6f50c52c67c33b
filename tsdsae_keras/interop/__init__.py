"""Files of other code bases: PyTorch's, CREPE's, VGGish's."""
