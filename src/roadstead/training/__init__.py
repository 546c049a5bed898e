"""Training and measuring of the detector: the optional extra ``train`` (torch, ultralytics)."""
