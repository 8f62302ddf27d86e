"""What stands between the adapters: frozen layers of language models, and the paper's controls.

Importing this package registers the blocks; it imports neither transformers nor peft.
"""

from geo_lm4ve.blocks import controls, frozen  # noqa: F401  (registers the shipped blocks)
