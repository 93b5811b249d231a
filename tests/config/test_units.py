import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.problem import Misread
from bridge.config.units import duration, duration_text, size, size_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("50ms", 0.05), ("15s", 15.0), ("1.5s", 1.5), ("5m", 300.0), ("1h", 3600.0), ("2d", 172_800.0), ("0", 0.0)],
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    """A user thinks in the unit that fits; the bridge computes in one."""
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("1024", 1024),
        ("512B", 512),
        ("500KB", 500_000),
        ("2kB", 2000),
        ("1MiB", 1_048_576),
        ("64Mi", 67_108_864),
        ("1.5GiB", 1_610_612_736),
        ("3GB", 3_000_000_000),
    ],
)
def test_sizes_are_bytes(text: str, count: int) -> None:
    """MB and MiB differ by 5 %: what a user wrote is what is counted. Kubernetes' own Mi is taken too."""
    assert size(text) == count


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ("5", "a duration needs a unit", "Write 5s for seconds or 5ms for milliseconds."),
        ("5 min", "not a duration", "Write a number and a unit (ms, s, m, h or d), for example 50ms or 15s."),
        ("-1s", "not a duration", "Write a number and a unit (ms, s, m, h or d), for example 50ms or 15s."),
        ("9" * 30 + "s", "not a duration", "Write a number and a unit (ms, s, m, h or d), for example 50ms or 15s."),
    ],
)
def test_an_unclear_duration_is_refused_with_the_mend(text: str, what: str, mend: str) -> None:
    """`5` read as 5 s by one tool and 5 ms by another is how outages begin."""
    with pytest.raises(Misread) as caught:
        duration(text)

    assert (caught.value.what, caught.value.mend) == (what, mend)


@pytest.mark.parametrize("text", ["1Mb", "MiB", "1 MiB", "-1", "1e6", "", "0x10", "9" * 30])
def test_an_unclear_size_is_refused_with_the_mend(text: str) -> None:
    """`Mb` are bits to some: nothing is guessed."""
    with pytest.raises(Misread) as caught:
        size(text)

    mend = "Write a number and a unit (KB, MB, GB, KiB, MiB or GiB), for example 1MiB."
    assert (caught.value.what, caught.value.mend) == ("not a size", mend)


@given(st.integers(0, 10**8))
def test_a_duration_survives_being_written(milliseconds: int) -> None:
    """Bounds and defaults are shown in messages and in the manual: copied into a file they mean the same."""
    seconds = milliseconds / 1000

    assert duration(duration_text(seconds)) == pytest.approx(seconds)


@given(st.integers(0, 2**40))
def test_a_size_survives_being_written(count: int) -> None:
    """As for durations."""
    assert size(size_text(count)) == count
