"""Made-up harbours, to train on and to hold against real images."""
