"""Train, evaluate and predict loops on Accelerate. Importing this package registers ``optim`` and ``run``."""

from geo_lm4ve.engine import config as config
from geo_lm4ve.engine import optim as optim
