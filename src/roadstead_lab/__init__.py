"""The lab: simulated worlds with their truth, and the training and measuring of models."""
