"""What the reconciler says, held against the truth: every figure of docs/reconciler.md."""
