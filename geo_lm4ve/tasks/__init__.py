"""Tasks: batch -> loss, metrics, per-item records, report. Importing this package registers them."""

from geo_lm4ve.tasks import classify as classify
from geo_lm4ve.tasks import forecast as forecast
from geo_lm4ve.tasks.base import Loss, Metrics, Record, Task, TaskConfig

__all__ = ["Loss", "Metrics", "Record", "Task", "TaskConfig"]
