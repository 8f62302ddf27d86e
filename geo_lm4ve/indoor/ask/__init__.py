"""The task of answering questions about rooms: loss, metrics, records, files, report."""
