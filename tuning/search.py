"""`python tuning/search.py --space zdim` searches for the smallest model that disentangles and reconstructs.

The work is in tsdsae_keras/search and tsdsae_keras/commands/tune.py; `tsdsae-keras tune` is the same.
"""

import sys

from tsdsae_keras.commands.tune import main

if __name__ == "__main__":
    sys.exit(main())
