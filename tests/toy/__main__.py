"""`python -m tests.toy train --model toy`."""

import sys

from tests.toy import main

sys.exit(main(sys.argv[1:]))
