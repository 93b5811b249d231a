"""What each alert fires at, and what it does not: series by hand, every value 15 s after the one before."""

from typing import NamedTuple

STREAM = 'namespace="event-bridge",job="event-bridge",stream="pods"'
BRIDGE = 'namespace="event-bridge",job="event-bridge"'


class Case(NamedTuple):
    """*fires* at *second* with these *series*, and does not with *quiet* in their place."""

    alert: str
    second: int
    series: dict[str, str]
    quiet: dict[str, str]
    stream: str = "pods"


CASES = [
    Case(
        "EventBridgeStreamStale",
        375,
        {
            f'bridge_position_timestamp_seconds{{{STREAM},pod="a"}}': "0x40",
            f'bridge_stale_after_seconds{{{STREAM},pod="a"}}': "300x40",
        },
        # Moved to another replica, which commits: the old one's last word does not count.
        {
            f'bridge_position_timestamp_seconds{{{STREAM},pod="a"}}': "0x4 stale",
            f'bridge_position_timestamp_seconds{{{STREAM},pod="b"}}': "_x5 75+15x40",
            f'bridge_stale_after_seconds{{{STREAM},pod="b"}}': "_x5 300x40",
        },
    ),
    Case(
        "EventBridgeWatchSilent",
        375,
        {f"bridge_last_frame_timestamp_seconds{{{STREAM}}}": "0x40"},
        {f"bridge_last_frame_timestamp_seconds{{{STREAM}}}": "0x4 60x4 120x4 180x4 240x40"},
    ),
    Case(
        "EventBridgeRestartStorm",
        900,
        {f'bridge_restarts_total{{{STREAM},reason="expired"}}': "0x8 1x8 2x8 3x8 4x40"},
        # Twice, and as often as operators ask for it.
        {
            f'bridge_restarts_total{{{STREAM},reason="expired"}}': "0x8 1x8 2x80",
            f'bridge_restarts_total{{{STREAM},reason="requested"}}': "0+1x80",
            f'bridge_restarts_total{{{STREAM},reason="initial"}}': "0 1x80",
        },
    ),
    Case(
        "EventBridgeStreamUnowned",
        300,
        {
            f'bridge_configured_streams{{{BRIDGE},pod="a"}}': "4x40",
            f'bridge_configured_streams{{{BRIDGE},pod="b"}}': "4x40",
            f'bridge_owned_streams{{{BRIDGE},pod="a"}}': "2x40",
            f'bridge_owned_streams{{{BRIDGE},pod="b"}}': "1x40",
        },
        # A replica is killed, and the other has its streams after 10 s.
        {
            f'bridge_configured_streams{{{BRIDGE},pod="a"}}': "4x40",
            f'bridge_configured_streams{{{BRIDGE},pod="b"}}': "4x4 stale",
            f'bridge_owned_streams{{{BRIDGE},pod="a"}}': "2x6 4x40",
            f'bridge_owned_streams{{{BRIDGE},pod="b"}}': "2x4 stale",
        },
        stream="",
    ),
    Case(
        "EventBridgeCommitsFailing",
        180,
        {f"bridge_recoveries_total{{{STREAM}}}": "0 0 1 2 3 4 5 6 7 8x60"},
        {f"bridge_recoveries_total{{{STREAM}}}": "0 0 1 2x60"},
    ),
    Case(
        "EventBridgeCommitsSlow",
        900,
        {
            f'bridge_commit_seconds_bucket{{{STREAM},le="1"}}': "0+10x60",
            f'bridge_commit_seconds_bucket{{{STREAM},le="5"}}': "0+15x60",
            f'bridge_commit_seconds_bucket{{{STREAM},le="+Inf"}}': "0+15x60",
        },
        # Commits take a tenth of a second, and no change waits for long.
        {
            f'bridge_commit_seconds_bucket{{{STREAM},le="0.1"}}': "0+15x60",
            f'bridge_commit_seconds_bucket{{{STREAM},le="+Inf"}}': "0+15x60",
            f"bridge_lag_seconds{{{STREAM}}}": "20x60",
        },
    ),
    Case(
        "EventBridgeCommitsSlow",
        600,
        {f"bridge_lag_seconds{{{STREAM}}}": "31+15x60"},
        {f"bridge_lag_seconds{{{STREAM}}}": "31x10 0x60"},
    ),
    Case(
        "EventBridgeBufferFull",
        300,
        {
            f"bridge_buffer_bytes{{{STREAM}}}": "950x40",
            f"bridge_buffer_limit_bytes{{{STREAM}}}": "1000x40",
        },
        {
            f"bridge_buffer_bytes{{{STREAM}}}": "850x40",
            f"bridge_buffer_limit_bytes{{{STREAM}}}": "1000x40",
        },
    ),
    Case(
        "EventBridgeBufferFull",
        900,
        {f"bridge_buffer_full_total{{{STREAM}}}": "0x4 1x4 2x4 3x80"},
        {f"bridge_buffer_full_total{{{STREAM}}}": "0x4 1x80"},
    ),
    Case(
        "EventBridgeStreamFailed",
        120,
        {f'bridge_stream_state{{{STREAM},state="failed"}}': "1x40"},
        {
            f'bridge_stream_state{{{STREAM},state="failed"}}': "0x40",
            f'bridge_stream_state{{{STREAM},state="live"}}': "1x40",
        },
    ),
    Case(
        "EventBridgeStreamDelayed",
        420,
        # From one to the other, as it tries.
        {
            f'bridge_stream_state{{{STREAM},state="delayed"}}': "1 1 0 1 1 0 1x40",
            f'bridge_stream_state{{{STREAM},state="starting"}}': "0 0 1 0 0 1 0x40",
        },
        {
            f'bridge_stream_state{{{STREAM},state="delayed"}}': "1x8 0x40",
            f'bridge_stream_state{{{STREAM},state="starting"}}': "0x40",
        },
    ),
    Case(
        "EventBridgeConfigRejected",
        120,
        # One replica of two has the new file by now.
        {
            f'bridge_config_last_reload_successful{{{BRIDGE},pod="a"}}': "0x40",
            f'bridge_config_last_reload_successful{{{BRIDGE},pod="b"}}': "1x40",
        },
        {f'bridge_config_last_reload_successful{{{BRIDGE},pod="a"}}': "1x40"},
        stream="",
    ),
    Case(
        "EventBridgeConfigPending",
        900,
        {f'bridge_config_pending{{{BRIDGE},pod="a"}}': "1x80", f'bridge_config_pending{{{BRIDGE},pod="b"}}': "0x80"},
        {f'bridge_config_pending{{{BRIDGE},pod="a"}}': "1x8 0x80"},
        stream="",
    ),
    Case(
        "EventBridgeDown",
        300,
        {
            f'bridge_build_info{{{BRIDGE},pod="a"}}': "1x4 stale",
            'bridge_build_info{namespace="shop",job="shop",pod="c"}': "1x40",
        },
        # One of two is down.
        {
            f'bridge_build_info{{{BRIDGE},pod="a"}}': "1x4 stale",
            f'bridge_build_info{{{BRIDGE},pod="b"}}': "1x40",
        },
        stream="",
    ),
    Case(
        "EventBridgeObjectsOversized",
        300,
        {f"bridge_oversize_total{{{STREAM}}}": "0x4 1x40"},
        {f"bridge_oversize_total{{{STREAM}}}": "5x40"},
    ),
]
