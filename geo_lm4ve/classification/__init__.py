"""Classification of samples of any modality: head, metrics, task, report."""

PARTS = {"head": {"classification": ".head"}, "task": {"classify": ".task"}}
