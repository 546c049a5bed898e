"""Training and measuring of the detector: the optional extra ``train`` (torch, ultralytics)."""

import os

# On a shared machine torch's threads would spin at every barrier; sleeping there trained three times as fast.
# OpenMP reads this once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
