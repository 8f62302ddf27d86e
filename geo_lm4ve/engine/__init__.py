"""Train and evaluate loops on Accelerate."""

PARTS = {"optim": {"adam": ".adam", "adamw": ".optim"}}
