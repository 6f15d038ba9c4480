"""``python -m genload.sampler``."""

import sys

from genload.sampler.child import main

sys.exit(main())
