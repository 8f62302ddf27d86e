import os
import subprocess
import sys

import pytest
from small_runs import ROOT

from geo_lm4ve.threads import CHOSEN_BY_USER, SHORT_SPIN


def started(code, **environment):
    """What a fresh process prints; the variables in question are set only if given here."""
    clean = {key: value for key, value in os.environ.items() if key not in CHOSEN_BY_USER}
    done = subprocess.run([sys.executable, "-c", code], env=clean | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SHOW = "import os, geo_lm4ve.threads as t; print({n: os.environ[n] for n in t.CHOSEN_BY_USER if n in os.environ})"


def test_threads_soon_sleep_and_the_module_needs_no_torch():
    assert started(SHOW + "; import sys; assert 'torch' not in sys.modules") == str(SHORT_SPIN)


@pytest.mark.parametrize("name", CHOSEN_BY_USER)
def test_what_the_user_set_stays(name):
    assert started(SHOW, **{name: "active"}) == str({name: "active"})


FIRST = """
import runpy, sys

class Guard:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print("in time" if "geo_lm4ve.threads" in sys.modules else "too late")
            sys.exit()

sys.meta_path.insert(0, Guard())
runpy.run_path({tool!r}, run_name="imported")
print("without torch")
"""


@pytest.mark.parametrize("tool", ["train", "evaluate", "predict", "visualize", "extract_block", "prepare"])
def test_every_command_settles_it_before_torch_is_loaded(tool):
    assert started(FIRST.format(tool=str(ROOT / "tools" / f"{tool}.py"))) in ("in time", "without torch")
