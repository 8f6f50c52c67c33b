"""`python train.py --preset quick` trains a model; the work is in tsdsae_keras/training/train.py."""

import sys

from tsdsae_keras.cli import train

if __name__ == "__main__":
    sys.exit(train())
