from geo_lm4ve.viz.choice import evenly, fitting


def test_even_places():
    assert evenly(10, 3) == [0, 4, 9]
    assert evenly(2, 5) == [0, 1]
    assert evenly(7, 1) == [0]
    assert evenly(0, 3) == []


def test_as_many_as_fit_from_the_first_to_the_last():
    assert fitting([10] * 8, 80) == list(range(8))
    shown = fitting([10] * 800, 3000)
    assert 290 <= len(shown) <= 300
    assert (shown[0], shown[-1]) == (0, 799)
    assert fitting([10, 20], 1) == [0]
    assert fitting([], 5) == []
