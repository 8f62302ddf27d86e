"""Heads that answer questions about scans."""
