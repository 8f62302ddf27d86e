"""Train, evaluate and predict loops on Accelerate."""
