"""``python -m roadstead.training.realism``."""

import sys

from roadstead.training.realism.compare import main

sys.exit(main())
