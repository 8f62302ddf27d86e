"""The example in the docstring of every public name runs as it stands there."""

import ast
import doctest
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import geo_lm4ve

FINDER, RUNNER = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)


def examples(item: object, name: str) -> list[doctest.DocTest]:
    return [test for test in FINDER.find(item, name, globs={}) if test.examples]


@pytest.mark.parametrize("name", geo_lm4ve.__all__)
def test_a_public_name_has_an_example_that_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    item = getattr(geo_lm4ve, name)
    found = examples(item, name)
    assert found, f"geo_lm4ve.{name} has no example"
    for method, value in vars(item).items() if inspect.isclass(item) else ():
        if not method.startswith("_") and callable(getattr(item, method)):
            found += examples(getattr(value, "__func__", value), f"{name}.{method}")
    failed = sum(RUNNER.run(test, clear_globs=False).failed for test in found)
    assert not failed, capsys.readouterr().out


def test_the_example_of_the_package_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (test,) = examples(geo_lm4ve, "geo_lm4ve")
    assert not RUNNER.run(test).failed, capsys.readouterr().out


def test_editors_see_the_public_names_and_their_types() -> None:
    source = Path(geo_lm4ve.__file__)
    (checked,) = [node for node in ast.parse(source.read_text()).body if isinstance(node, ast.If)]
    imported = {alias.name: node.module for node in checked.body for alias in node.names}
    assert sorted(imported) == geo_lm4ve.__all__
    for name, module in imported.items():
        assert getattr(geo_lm4ve, name) is getattr(import_module(module), name)
    assert set(geo_lm4ve.__all__) <= set(dir(geo_lm4ve))
    assert (source.parent / "py.typed").is_file()
