"""Pictures: PNG and self-contained HTML. All functions take plain numbers, arrays and texts."""

from geo_lm4ve.viz.cloud_cards import Cloud
from geo_lm4ve.viz.confusion import confusion_png
from geo_lm4ve.viz.contact_sheet import contact_sheet_png
from geo_lm4ve.viz.curves import curves_png, read_metrics
from geo_lm4ve.viz.html import Table, html_report

__all__ = [
    "Cloud",
    "Table",
    "confusion_png",
    "contact_sheet_png",
    "curves_png",
    "html_report",
    "read_metrics",
]
