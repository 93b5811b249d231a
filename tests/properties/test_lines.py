from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bridge.source.lines import Lines

LINES = st.lists(st.text(alphabet="aé€😀{}", max_size=8).map(str.encode), max_size=8)
CUTS = st.lists(st.integers(0, 200), max_size=12)


@given(LINES, st.sampled_from([b"", b"tail", "€".encode()[:2]]), CUTS)
def test_lines_are_the_same_however_they_are_cut(lines: list[bytes], tail: bytes, cuts: list[int]) -> None:
    """48: what a network does to chunks is nobody's business above this file."""
    data = b"".join(line + b"\n" for line in lines) + tail
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    fed = Lines()
    got = [line for a, b in pairwise(places) for line in fed.feed(data[a:b])]

    assert got == [line for line in lines if line]
    assert fed.held == len(tail)
