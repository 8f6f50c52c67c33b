"""`python tuning/study.py` makes the paper's study: models x z_dim x seeds x optimizer, and with --figures its figures.

The work is in tsdsae_keras/families/tsdsae/study.
"""

import sys

from tsdsae_keras.cli import main

if __name__ == "__main__":
    sys.exit(main(["study", *sys.argv[1:]]))
