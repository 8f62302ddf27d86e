"""The contract of a tokeniser, and the one that only splits at blanks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence


class Tokeniser(ABC):
    """Texts -> tokens, many at a time (some tokenisers are a process of their own).

    Attributes:
        name: printed with every score.
    """

    name: str

    @abstractmethod
    def tokenise(self, texts: Sequence[str]) -> list[list[str]]:
        """Tokens of each text, in order; UserError if something that the tokeniser needs is missing (``lacks``)."""

    def lacks(self) -> str:
        """What has to be installed before ``tokenise`` works, and how; "" if all is there."""
        return ""


class Blanks(Tokeniser):
    """Splits at every single blank and changes nothing: the scorers of LL3DA and LEO get texts as they are.

    Two blanks give an empty token and a line break stays inside a token, as in pycocoevalcap's ROUGE-L; BLEU and CIDEr,
    which split at any white space there, do so here by themselves.
    """

    name = "blanks"

    def tokenise(self, texts: Sequence[str]) -> list[list[str]]:
        """``text.split(" ")`` of each text."""
        return [text.split(" ") for text in texts]
