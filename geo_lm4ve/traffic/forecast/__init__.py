"""The forecasting task: loss, metrics, records, report, prediction, token activation."""
