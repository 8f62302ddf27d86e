import pytest

from geo_lm4ve.cache import cache_folder, folder_beside


@pytest.fixture(autouse=True)
def variables(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "own"))


def test_one_rule_for_every_kind(tmp_path, monkeypatch):
    assert cache_folder("blocks") == tmp_path / "own" / "blocks"
    monkeypatch.setenv("GEO_LM4VE_CACHE", "")
    assert cache_folder("blocks") == tmp_path / "xdg" / "geo_lm4ve" / "blocks"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder("fps_order") == tmp_path / "home" / ".cache" / "geo_lm4ve" / "fps_order"
    monkeypatch.setenv("GEO_LM4VE_CACHE", "~/mine")
    assert cache_folder("fps_order") == tmp_path / "home" / "mine" / "fps_order"


def test_beside_the_data_if_their_folder_may_be_written(tmp_path):
    data, other = tmp_path / "data", tmp_path / "other"
    for root in (data, other):
        root.mkdir()
        assert (
            folder_beside(root, "kind", by_place=True) == folder_beside(root, "kind", by_place=False) == root / "kind"
        )
        root.chmod(0o555)
        assert folder_beside(root, "kind", by_place=False) == tmp_path / "own" / "kind"
    places = {folder_beside(root, "kind", by_place=True) for root in (data, other, data)}
    assert {place.parent for place in places} == {tmp_path / "own" / "kind"}
    assert len(places) == 2
