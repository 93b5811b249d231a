from bridge.config.fields import fields, root
from bridge.config.manual import manual


def test_the_manual_has_a_row_for_every_field() -> None:
    """People who have no editor plugin read this page: what it lacks does not exist for them."""
    lines = manual().splitlines()

    rows = [line for line in lines if line.startswith("| `")]
    assert len(rows) == 55
    assert [
        field.name for field in fields(root()) if not any(row.startswith(f"| `{field.name}` |") for row in rows)
    ] == []
    assert [line for line in lines if line.startswith("## ")] == [
        "## At the top",
        "## `kubernetes`",
        "## `kafka`",
        "## `kafka.tls`",
        "## `kafka.sasl`",
        "## `kafka.sasl.token`",
        "## `topics`",
        "## `checkpoints`",
        "## `group`",
        "## `watches[]`",
        "## `http`",
        "## `log`",
    ]


def test_a_row_says_values_bounds_default_and_purpose() -> None:
    """One row answers what may be written, what happens if nothing is, and why one would."""
    assert (
        "| `commitInterval` | duration, 1ms to 10s | `50ms` | The longest that a record waits for its commit."
        " Longer: fewer transactions, more latency. For example `50ms`, `1s`. |"
    ) in manual().splitlines()


def test_no_cell_breaks_the_table() -> None:
    """A stray `|` would shift every column behind it."""
    rows = [line for line in manual().splitlines() if line.startswith("|")]

    assert [row for row in rows if row.replace("\\|", "").count("|") != 5] == []
