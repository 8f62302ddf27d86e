"""Meta's order of query and key rows, and transformers'."""

from __future__ import annotations

from torch import Tensor


def half_split(rows: Tensor, heads: int) -> Tensor:
    """Rows of a query or key projection (weight or bias) from Meta's rotary order to transformers'.

    Meta's files, and llama.cpp's for architecture ``llama``, keep the two components that rotary embedding turns
    together in neighbouring rows (2i, 2i+1) of each head; transformers keeps them in rows i and i + head_dim/2.
    Queries and keys move alike, so without rotary embedding attention is the same in either order.

    Raises:
        ValueError: the rows are not so many heads.
    """
    if heads < 1 or rows.shape[0] % (2 * heads):
        raise ValueError(f"{rows.shape[0]} rows of queries or keys are not {heads} heads of an even width")
    pairs = rows.reshape(heads, rows.shape[0] // heads // 2, 2, *rows.shape[1:])
    return pairs.transpose(1, 2).reshape(rows.shape)
