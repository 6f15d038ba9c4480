"""``python -m genload``."""

import sys

from genload.cli import main

sys.exit(main())
