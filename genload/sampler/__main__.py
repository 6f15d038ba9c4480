"""``python -m genload.sampler``."""

import sys

from genload.sampler.process import main

sys.exit(main())
