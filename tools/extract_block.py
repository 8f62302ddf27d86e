"""``geo-lm4ve extract-block``, without an installed script; --help says what it does."""

from geo_lm4ve.commands import run

if __name__ == "__main__":
    run("extract-block")
