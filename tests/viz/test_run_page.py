from geo_lm4ve.costs import PARTS, Cost, Latency
from geo_lm4ve.viz.html import PageTable
from geo_lm4ve.viz.run_page import cost_table, run_report

FLOPS = {part: {"trainable": 1e9, "frozen": 0.0} for part in PARTS} | {"block": {"trainable": 0.0, "frozen": 6e9}}
COST = Cost(FLOPS, Latency(16, 1.53, 10), Latency(1, 4.0, 3), "cpu (<x>)", 2, 1, "float32")
RESULTS = {"metrics": {"accuracy": 0.5}, "config": {"secret": "settings"}, "samples": 12_345}


def test_every_part_has_a_row_and_their_sum_is_below():
    table = cost_table(COST)
    assert [row[0] for row in table.rows] == [*PARTS, "all"]
    assert table.rows[2] == ["block", "0", "6", "6"]
    assert table.rows[-1] == ["all", "3", "6", "9"]
    assert table.note.startswith("Milliseconds per sample: 1.53 in batches of 16, 4 alone (10 and 3 passes). ")


def test_a_page_shows_facts_tables_and_cost(tmp_path):
    page = tmp_path / "report.html"
    tables = [PageTable("Classes", ["class"], [["box"]])]
    run_report(page, "a run", {**RESULTS, "cost": COST.plain()}, tables=tables)
    text = page.read_text()
    assert text.index("12,345") < text.index("<h2>Classes</h2>") < text.index("<h2>Cost of a forward pass")
    assert "cpu (&lt;x&gt;), 2 thread(s)" in text
    assert "settings" not in text
    assert "flops_per_sample" not in text, "what a table says is no fact of the list"


def test_results_of_before_it_was_measured_have_a_page_without(tmp_path):
    run_report(tmp_path / "report.html", "a run", RESULTS)
    text = (tmp_path / "report.html").read_text()
    assert "12,345" in text
    assert "forward pass" not in text
