"""Pictures: PNG and self-contained HTML. All functions take plain numbers, arrays and texts."""

from geo_lm4ve.viz.curves import curves_png
from geo_lm4ve.viz.html import PageTable, html_report

__all__ = [
    "PageTable",
    "curves_png",
    "html_report",
]
