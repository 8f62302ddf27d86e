"""Classification of samples of any modality: head, metrics, task, report. Importing this package registers them."""

# ruff: noqa: F401
import geo_lm4ve.classification.head
import geo_lm4ve.classification.task
