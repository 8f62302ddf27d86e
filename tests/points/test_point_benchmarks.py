import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments", "key"),
    [
        ("loader", ["--clouds", "64", "--scenes", "32", "--repeats", "1", "--workers", "0"], "samples_per_s"),
        ("point_ops", ["--sizes", "128:8", "--repeats", "1"], "rows"),
    ],
)
def test_benchmarks_run_and_record_their_circumstances(tmp_path, name, arguments, key):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, f"benchmarks/{name}.py", *arguments, "--out", str(tmp_path / "out.json")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["circumstances"]["cpus"] == os.cpu_count()
    assert len(result[key]) >= 3
