"""``geo-lm4ve probe``, without an installed script; --help says what it does."""

from geo_lm4ve.commands import run

if __name__ == "__main__":
    run("probe")
