import pytest
import torch

from geo_lm4ve.tokens import Kept, TokenSet, join, put, take


def tokens(b=2, n=5, d=3, spans=None, **more):
    features = torch.arange(b * n * d, dtype=torch.float32).reshape(b, n, d)
    valid = torch.ones(b, n, dtype=torch.bool)
    return TokenSet(features, valid, spans or {"cls": (0, 1), "groups": (1, n)}, **more)


def test_select_then_write_back_changes_only_the_span():
    whole = tokens()
    part = whole.select("groups")
    assert part.spans == {"groups": (0, 4)}
    changed = whole.write_back(part.replace(features=part.features + 100))
    assert torch.equal(changed.features[:, 0], whole.features[:, 0])
    assert torch.equal(changed.features[:, 1:], whole.features[:, 1:] + 100)
    assert torch.equal(tokens().features, whole.features), "write_back must not change its source"


def test_select_reorders_spans_and_positions():
    whole = tokens(positions=torch.randn(2, 5, 3))
    swapped = whole.select("groups", "cls")
    assert swapped.spans == {"groups": (0, 4), "cls": (4, 5)}
    assert torch.equal(swapped.positions[:, -1], whole.positions[:, 0])


def test_rows_name_the_valid_tokens_of_spans_and_put_brings_them_back():
    whole = tokens(spans={"agents": (1, 3), "lanes": (3, 5)})
    valid = torch.tensor([[True, False, True, True, False], [True, True, True, False, False]])
    whole = whole.replace(valid=valid)
    rows = whole.rows("agents", "proposals")
    assert rows.shape == (2, 2)
    assert rows[0, 0] == 2
    assert rows[1].tolist() == [1, 2]
    back = put(take(whole.features, rows), rows, 5)
    assert torch.equal(back[1, 1:3], whole.features[1, 1:3])
    assert not back[1, 3:].any()
    assert torch.equal(take(valid, rows), valid.take_along_dim(rows, 1))


def test_what_is_known_is_what_the_mask_says():
    random = torch.Generator().manual_seed(0)
    spans = {"cls": (0, 1), "agents": (1, 5), "lanes": (6, 9)}
    for share in (0.2, 0.5, 0.8, 1.0):
        whole = tokens(4, 10, spans=spans).replace(valid=torch.rand(4, 10, generator=random) < share)
        settled = whole.settled()
        for made in (
            settled,
            settled.select("lanes", "cls"),
            join(settled, tokens(4, spans={"more": (0, 2)}).settled()),
        ):
            assert made.known == made.replace(valid=made.valid).lengths
        for reads in ((), ("agents",), ("lanes", "cls", "lanes"), ("objects",)):
            rows, kept = settled.rows(*reads), settled.kept(*reads)
            assert torch.equal(rows, whole.rows(*reads))
            assert rows.sort(1).values.diff().all(), "every token once"
            assert kept == Kept(int(whole.valid.sum()), int(take(whole.valid, rows).sum()))
    assert tokens().known is None
    full = TokenSet.full(torch.zeros(2, 5, 3), {"cls": (0, 1)})
    assert full.known == full.replace(valid=full.valid).lengths
    assert join(tokens(), full.replace(spans={"more": (0, 1)})).known is None


def test_pool_ignores_padding_and_gives_zeros_without_any_token():
    features = torch.tensor([[[1.0], [2.0], [9.0]], [[5.0], [6.0], [7.0]]])
    valid = torch.tensor([[True, True, False], [False, False, False]])
    padded = TokenSet(features, valid, {"all": (0, 3)})
    assert padded.pool("max").flatten().tolist() == [2.0, 0.0]
    assert padded.pool("mean").flatten().tolist() == [1.5, 0.0]
    assert padded.pool("first").flatten().tolist() == [1.0, 0.0]


def test_pool_of_nothing_has_finite_gradient():
    features = torch.randn(1, 3, 2, requires_grad=True)
    TokenSet(features, torch.zeros(1, 3, dtype=torch.bool), {}).pool("max").sum().backward()
    assert torch.isfinite(features.grad).all()


def test_join_shifts_spans_and_merges_context():
    joined = join(tokens().with_context(a=1), tokens(spans={"lanes": (0, 5)}).with_context(b=2))
    assert joined.spans == {"cls": (0, 1), "groups": (1, 5), "lanes": (5, 10)}
    assert joined.context == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="occur twice"):
        join(tokens(), tokens())


@pytest.mark.parametrize("spans", [{"a": (0, 3), "b": (2, 5)}, {"a": (0, 6)}, {"a": (-1, 2)}])
def test_overlapping_or_outside_spans_are_refused(spans):
    with pytest.raises(ValueError, match="span"):
        tokens(spans=spans)


def test_unknown_span_lists_what_there_is():
    with pytest.raises(KeyError, match="groups"):
        tokens().select("lanes")
