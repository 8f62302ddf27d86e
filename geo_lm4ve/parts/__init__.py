"""The four contracts to read before adding anything: data source, encoder, head, task.

Its table also names what has no room of its own.
"""

PARTS = {"bridge": {"linear": "..bridge"}, "run": {"default": ".run"}}
