"""Train and evaluate loops on Accelerate."""

PARTS = {"optim": {"adamw": ".optim"}}
