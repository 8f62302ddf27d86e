"""Train and evaluate loops on Accelerate. Importing this package registers ``optim``."""

from geo_lm4ve.engine import optim as optim
