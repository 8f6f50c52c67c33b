"""`python tuning/search.py --space zdim` searches for the smallest model that disentangles and reconstructs.

The work is in tsdsae_keras/search; `tsdsae-keras tune` is the same.
"""

import sys

from tsdsae_keras.cli import main

if __name__ == "__main__":
    sys.exit(main(["tune", *sys.argv[1:]]))
