"""The benchmark compares like with like: its peers compute the same losses, and it says so when they do not. No time is asserted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import chain, memory, process_tree, scalars, steps
from benchmarks.agreement import Disagreement, disagreements
from benchmarks.learning import learn
from benchmarks.peers import PEERS, Peer, installed, missing
from benchmarks.problem import GATES, WORKLOADS, Problem
from benchmarks.report import Goal, Section, Table, summary
from benchmarks.timing import Plan, call, interleaved
from engine.training import Settings
from server.tasks import load

ROOT = Path(__file__).resolve().parents[1]
SMALLEST = WORKLOADS[0]
WITHOUT_PACKAGES = ("grad", "trace", "numpy")


@pytest.mark.parametrize("cell", GATES)
def test_engine_and_numpy_compute_the_same_losses(cell: str) -> None:
    problem = Problem(cell, SMALLEST)
    assert disagreements(problem, {key: PEERS[key].prepare(problem) for key in WITHOUT_PACKAGES}) == []


def test_the_command_finds_that_all_installed_peers_agree() -> None:
    """In a process of its own: it sets threads, and packages of peers warn as they please."""
    command = [sys.executable, "-m", "benchmarks.engine", "--check", "--workload", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "all peers do the same work\n"), done.stderr


def test_the_command_fails_when_a_peer_does_other_work(monkeypatch: pytest.MonkeyPatch) -> None:
    peers = {key: PEERS[key] for key in WITHOUT_PACKAGES}
    monkeypatch.setattr(steps, "installed", lambda: peers)
    assert steps.check(["rnn"], [SMALLEST]) == []
    monkeypatch.setattr(Peer, "prepare", lambda peer, problem: lambda: problem.first_loss * (1 + (peer.module == "numpy_bptt") * 1e-5))
    (line,) = steps.check(["rnn"], [SMALLEST])
    assert line.startswith("numpy: rnn (1, 16, 8, 16): first loss ")
    with pytest.raises(Disagreement, match="numpy: rnn"):
        steps.measure(["rnn"], [SMALLEST], Plan(), lambda line: None)


def test_a_wrong_update_is_found_though_the_first_loss_agrees() -> None:
    problem = Problem("gru", SMALLEST)
    contenders = {key: PEERS[key].prepare(problem) for key in WITHOUT_PACKAGES}
    contenders["stuck"] = lambda: problem.first_loss
    (line,) = disagreements(problem, contenders)
    assert line.startswith("stuck: gru (1, 16, 8, 16): loss after 5 steps ")


def test_a_peer_without_its_package_is_named_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Peer("Absent", "absent", "there-is-no-such-distribution")
    monkeypatch.setattr("benchmarks.peers.PEERS", {**PEERS, "absent": absent})
    assert missing()["absent"] is absent
    assert "absent" not in installed()
    assert set(WITHOUT_PACKAGES) <= set(installed())


@pytest.mark.parametrize("name", scalars.EXPRESSIONS)
def test_graphs_of_scalars_agree(name: str) -> None:
    assert scalars.disagreements(name) == []
    assert scalars.nodes(*scalars.EXPRESSIONS[name]) > 700


@pytest.mark.parametrize("level", ["GRAD", "TRACE"])
def test_a_long_chain_has_the_gradients_of_a_plain_loop(level: str) -> None:
    found = chain.run(level, 3_000)  # raises where they differ; three times Python's limit of recursion
    assert found["nodes"] >= 3_000
    assert 0 < found["before"] <= found["peak"]


def test_a_traced_step_holds_more_than_an_untraced_one() -> None:
    problem = Problem("lstm", SMALLEST)
    assert 0 < memory.peak(problem, "grad") < memory.peak(problem, "trace")


def test_what_is_learnt_ends_as_runs_end_and_counts_what_comes_after_the_best() -> None:
    settings = Settings(cell="gru", hidden_size=2, optimizer={"name": "sgd", "lr": 1e-12})  # nothing is learnt, so nothing gets better
    found = learn(load("digits"), settings, 1000)
    assert (found.reason, found.chosen.step, found.last.step) == ("patience", 50, 50 * (1 + 8))
    assert 0 < found.chosen.seconds < found.last.seconds
    solved = learn(load("adding"), settings, 1000, target=100.0)
    assert (solved.reason, len(solved.points)) == ("target", 1)


def test_the_memory_of_a_process_is_that_of_all_that_come_of_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        tree = process_tree.processes(os.getpid())
        assert tree[0] == os.getpid()
        assert child.pid in tree
        assert process_tree.memory(os.getpid()) > process_tree.memory(child.pid) > 0
    finally:
        child.communicate(b"\n", timeout=30)


def test_rounds_are_interleaved_and_a_slow_contender_is_timed_once() -> None:
    turns: list[str] = []
    plan = Plan(rounds=4, slice=1e-9, budget=1.0)
    found = interleaved({key: call(lambda key=key: turns.append(key)) for key in "ab"}, plan)
    assert [len(timing.seconds) for timing in found.values()] == [4, 4]
    assert "".join(turns[-8:]) == "abababab"
    assert all(timing.median > 0 for timing in found.values())
    (slow,) = interleaved({"slow": call(lambda: None)}, Plan(limit=0.0)).values()
    assert (slow.too_slow, len(slow.seconds)) == (True, 1)


def test_a_goal_says_whether_and_by_how_much_it_was_missed() -> None:
    assert Goal("nearly", 1.001, 1.0).verdict == "missed by less than 1%"
    goals = [Goal("quick", 0.7, 0.75), Goal("slow", 1.5, 1.0), Goal("ahead", 4.0, 5.0, least=True)]
    assert [goal.verdict for goal in goals] == ["reached", "missed by 50%", "missed by 20%"]
    section = Section("Part", "What it is.", [Table(["", "n"], [["one", "1"]])], goals, ["a note"])
    assert section.markdown().splitlines()[:6] == ["## Part", "", "What it is.", "", "|     |   n |", "| --- | --: |"]
    assert section.markdown().endswith("- a note")
    assert summary([section]).splitlines() == [
        "1 of 3 goals reached.", "", "- slow: 1.5 x, at most 1 x: missed by 50%", "- ahead: 4 x, at least 5 x: missed by 20%",
    ]  # fmt: skip


def test_the_report_is_whole() -> None:
    """It was written by the command, names every peer, and says where and how it was measured."""
    report = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    titles = [*(peer.title for peer in PEERS.values()), "micrograd", "## Goals", "## Machine", "python -m benchmarks.engine --write"]
    assert [title for title in titles if title not in report] == []
    assert [f"{cell} {w}" for cell in GATES for w in WORKLOADS if f"| {cell} {w} " not in report] == []
