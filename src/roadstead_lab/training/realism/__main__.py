"""``python -m roadstead_lab.training.realism``."""

import sys

from roadstead_lab.training.realism.compare import main

sys.exit(main())
