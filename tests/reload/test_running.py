"""The file is changed while the bridge runs and the cluster lives: what consumers see of it, and what they do not."""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.config.load import RESTART
from tests.audit.ledger import Scope
from tests.reload.broken import broken
from tests.reload.home import Home, Line, home

CONFIGMAPS = "- {resource: configmaps, topic: cm}\n"
PODS = "- {resource: pods, topic: pods}\n"
SELECTED = "- {resource: pods, topic: pods, labelSelector: app=a}\n"
SCOPE = Scope("configmaps", "cm", "configmaps")
GROUP = "standalone: false"


async def untouched(at: Home) -> None:
    """Ends the run. The stream of configmaps has noticed nothing of it, and has told everything."""
    await at.end()
    assert len(at.events("stream started", stream="configmaps")) == 1
    assert [reason for _, reason in await at.reasons("cm")] == ["initial"]
    report = await at.verdict(SCOPE)
    assert report.ok, str(report)


def applied(line: Line) -> dict[str, Sequence[str]]:
    assert line["event"] == "config applied"
    return {name: list(line[name]) for name in ("added", "removed", "changed", "settings") if line[name]}


@pytest.mark.parametrize("more", ["standalone: true", GROUP])
async def test_a_stream_is_added(tmp_path: Path, more: str) -> None:
    """A team wants one more resource: no restart, and nobody else notices."""
    async with home(tmp_path, CONFIGMAPS, more) as at:
        at.write(CONFIGMAPS + PODS, more)
        (line,) = await at.judged()
        await at.until(lambda: at.events("relist completed", stream="pods"))
        await asyncio.sleep(10)
        await untouched(at)
        report = await at.verdict(Scope("pods", "pods", "pods"))

    assert applied(line) == {"added": ["pods"]}
    assert report.ok, str(report)


@pytest.mark.parametrize("more", ["standalone: true", GROUP])
async def test_a_stream_is_removed_and_added_again(tmp_path: Path, more: str) -> None:
    """It goes on from its checkpoint, as after a restart: what happened meanwhile is told, without a gap."""
    async with home(tmp_path, CONFIGMAPS + PODS, more) as at:
        at.write(CONFIGMAPS, more)
        (removed,) = await at.judged()
        told = len(await at.records("pods"))
        await asyncio.sleep(30)
        silent = len(await at.records("pods")) == told
        at.write(CONFIGMAPS + PODS, more)
        (added,) = await at.judged()
        await asyncio.sleep(10)
        await untouched(at)
        report = await at.verdict(Scope("pods", "pods", "pods"))
        reasons = await at.reasons("pods")

    assert (applied(removed), applied(added)) == ({"removed": ["pods"]}, {"added": ["pods"]})
    assert len(at.events("stream removed", stream="pods")) == 1
    assert silent
    assert report.ok, str(report)
    assert reasons == [("pods", "initial")]


@pytest.mark.parametrize("more", ["standalone: true", GROUP])
async def test_a_selector_is_changed(tmp_path: Path, more: str) -> None:
    """Consumers are told that the stream is of something else now: those that left the selection are deleted."""
    async with home(tmp_path, CONFIGMAPS + PODS, more) as at:
        at.write(CONFIGMAPS + SELECTED, more)
        (line,) = await at.judged()
        await asyncio.sleep(10)
        await untouched(at)
        reasons = await at.reasons("pods")
        report = await at.verdict()
        told: dict[str, str] = {}
        for record in await at.records("pods"):
            if record.value.type in {"ADDED", "MODIFIED", "LISTED"}:
                told[record.key] = record.uid
            elif record.value.type == "DELETED":
                told.pop(record.key, None)
        pods = [pod["metadata"] for pod in at.api.list("pods") if pod["metadata"]["labels"]["app"] == "a"]

    assert applied(line) == {"changed": ["pods"]}
    assert reasons == [("pods", "initial"), ("pods", "identity_changed")]
    assert told == {f"pods/default/{meta['name']}": meta["uid"] for meta in pods}
    assert pods
    assert report.ok, str(report)


async def test_what_no_consumer_is_told_of_is_resumed(tmp_path: Path) -> None:
    """Other types, fields that are dropped: the stream begins anew with it, and its epoch goes on."""
    async with home(tmp_path, CONFIGMAPS + PODS) as at:
        at.write(CONFIGMAPS + "- {resource: po, topic: pods, name: pods, drop: [metadata.managedFields]}\n")
        (line,) = await at.judged()
        await asyncio.sleep(10)
        await untouched(at)
        reasons = await at.reasons("pods")
        report = await at.verdict(Scope("pods", "pods", "pods"))

    assert applied(line) == {"changed": ["pods"]}
    assert len(at.events("stream started", stream="pods")) == 2
    assert reasons == [("pods", "initial")]
    assert report.ok, str(report)


async def test_a_stream_is_renamed(tmp_path: Path) -> None:
    """A new name is a new stream: it begins from nothing, and the one before is gone."""
    async with home(tmp_path, CONFIGMAPS + PODS) as at:
        at.write(CONFIGMAPS + "- {resource: pods, topic: pods, name: web}\n")
        (line,) = await at.judged()
        await asyncio.sleep(10)
        await untouched(at)
        reasons = await at.reasons("pods")

    assert applied(line) == {"added": ["web"], "removed": ["pods"]}
    assert reasons == [("pods", "initial"), ("web", "initial")]


async def test_settings_are_taken_up_by_what_runs(tmp_path: Path) -> None:
    """A shorter interval shows in the topics, and costs no stream its epoch, nor even its watch."""
    async with home(tmp_path, CONFIGMAPS, "standalone: true\nverifyInterval: 1h") as at:
        watches = len(at.events("watch opened"))
        at.make("secrets", "one")
        at.write(CONFIGMAPS, "standalone: true\nverifyInterval: 10s\nprogressInterval: 1s\nbuffer: 8MiB")
        (line,) = await at.judged()
        await asyncio.sleep(10)
        await untouched(at)

    assert applied(line) == {"settings": ["buffer", "progressInterval", "verifyInterval"]}
    assert len(at.events("watch opened")) == watches


async def test_sighup_looks_at_once(tmp_path: Path) -> None:
    """Who has just saved the file does not want to wait; and a lost terminal sends it, too."""
    loop = asyncio.get_running_loop()
    async with home(tmp_path, CONFIGMAPS) as at:
        os.kill(os.getpid(), signal.SIGHUP)
        await at.until(lambda: at.events("config unchanged"))
        at.write(CONFIGMAPS + PODS)
        began = loop.time()
        os.kill(os.getpid(), signal.SIGHUP)
        await at.until(lambda: at.events("config applied"))
        took = loop.time() - began
        await untouched(at)

    assert took < 1


async def test_a_file_that_is_broken_in_many_ways_changes_nothing(tmp_path: Path) -> None:
    """Each is answered with its line, its field and the mend, once; and all the while nothing is lost or doubled."""
    async with home(tmp_path, CONFIGMAPS + PODS) as at:
        at.write(CONFIGMAPS)
        await at.judged()
        answers = []
        wanted = broken(at.text(CONFIGMAPS))
        for text, _ in wanted:
            at.path.write_text(text)
            answers.append(await at.judged())
        await asyncio.sleep(20)
        at.path.write_bytes(b"\xff\xfe")
        (binary,) = await at.judged()
        at.write(CONFIGMAPS + PODS)
        (mended,) = await at.judged()
        rejections = len(at.events("config rejected")) + len(at.events("config needs a restart"))
        await asyncio.sleep(5)
        await untouched(at)
        report = await at.verdict(Scope("pods", "pods", "pods"))

    assert [len(lines) for lines in answers] == len(wanted) * [1]
    assert rejections == len(wanted) + 1, "each is said once"
    for (text, answer), (line,) in zip(wanted, answers, strict=True):
        (problem,) = line["problems"]
        assert problem.startswith(f"{at.path}:{answer}"), text
        assert line["event"] == ("config needs a restart" if RESTART in answer else "config rejected")
    assert binary["problems"] == [f"{at.path}: not a text file. Save it as plain UTF-8 text."]
    assert applied(mended) == {"added": ["pods"]}
    assert report.ok, str(report)


async def test_a_secret_is_not_told(tmp_path: Path) -> None:
    """The file is answered line by line in the log, which many may read."""
    async with home(tmp_path, CONFIGMAPS) as at:
        good = at.text(CONFIGMAPS)
        login = "kafka: {{bootstrapServers: x:1, sasl: {{mechanism: {}, username: me, password: hunter2}}}}\n"
        for mechanism in ("PLAIN", "PLAINER"):
            lines = good.splitlines(keepends=True)
            at.path.write_text("".join([lines[0], login.format(mechanism), *lines[2:]]))
            await at.judged()
        told = [line for line in at.said if "problems" in line]

    assert [line["event"] for line in told] == ["config needs a restart", "config rejected"]
    assert "hunter2" not in str(at.said)
