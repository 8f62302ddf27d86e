"""Small models of rooms, and questions for them."""

from dataclasses import replace

import torch

from geo_lm4ve.create import create_model

NAMES = ("scanqa_small", "sqa3d_small")
TINY = {"num_classes": 5, "hidden": 16, "heads": 2, "width": 8, "seeds": 16, "num_proposals": 8, "text": "glove"}


def tiny(name="scanqa_small", **more):
    """A tiny model in eval mode, half of whose proposals are objects."""
    torch.manual_seed(0)
    model = create_model(name, **{**TINY, **more}).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    net = model.encoder.stages["detect"].votenet
    with torch.no_grad():
        no, yes = net(questions(model)).detection.objectness.unbind(-1)
        net.proposals.out.bias[0] += (yes - no).median()
    return model


def questions(model, size=5, seed=0):
    return model.config.encoder.sample_batch(size, seed)


def asked(batch, rows):
    """The batch with other questions: those of these rows, in this order."""
    pick = torch.tensor(rows)

    def texts(words):
        lengths = tuple(words.lengths[row] for row in rows)
        return replace(words, vectors=words.vectors[pick, : max(lengths)], lengths=lengths)

    return replace(
        batch,
        room_of=tuple(batch.room_of[row] for row in rows),
        questions=texts(batch.questions),
        situations=texts(batch.situations),
        index=batch.index[pick],
        truth=None,
    )


def said(answers):
    """What is said of each question, by name."""
    values = {name: getattr(answers, name) for name in ("answers", "references", "classes", "poses")}
    return {name: value for name, value in values.items() if value is not None}
