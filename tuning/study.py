"""`python tuning/study.py` makes the paper's study: models x z_dim x seeds x optimizer, and with --figures its figures.

The work is in tsdsae_keras/families/tsdsae/study and tsdsae_keras/commands/study.py.
"""

import sys

from tsdsae_keras.commands.study import main

if __name__ == "__main__":
    sys.exit(main())
