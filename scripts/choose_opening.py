"""Chooses what the first visit plays: a real surname of five letters that one training step turns from wrong to right.

    python scripts/choose_opening.py [--seeds 120] [--name ricci]

A tanh RNN of hidden size 4 is trained for 200 steps of AdamW; the next step sees one surname alone. Printed are the candidates, best
first: wrong before the step and right after it by margins that show, in letters that every reader knows, the gradient shrinking visibly on
its way back but not to nothing, and clipping at work. The best, or the best of the name that is given, is written to server/opening.json.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import Tape
from engine.trace import Document
from engine.training import Settings, trace_step, train
from engine.training.checkpoint import restore
from server.tasks import load

TARGET = Path(__file__).resolve().parent.parent / "server" / "opening.json"
LETTERS, STEPS = 5, 200
SHRINKS = (0.03, 0.5)  # ||dL/dh_1|| over ||dL/dh_5||
LIKELY, NEAR = 0.27, 0.08  # of the right class before the step: probability at least, and behind the most probable at most


@dataclass(frozen=True)
class Candidate:
    """One step that could be shown. before, after: by how much the most probable class leads the right one, and the right one the rest."""

    program: dict[str, Any]
    name: str
    wrong: str
    right: str
    before: float
    after: float
    shrinks: float
    clip: float

    @property
    def score(self) -> float:
        return min(self.before, self.after)

    def __str__(self) -> str:
        return (f"{self.name}: {self.wrong} by {self.before:.3f} -> {self.right} by {self.after:.3f}; gradient x {self.shrinks:.3f}, "
                f"clip x {self.clip:.3f}; seed {self.program['seed']}, example {self.program['example']}")  # fmt: skip


def candidates(seed: int) -> list[Candidate]:
    """Every surname that the step after the training with this seed turns."""
    task = load("surnames")
    settings = Settings(cell="rnn", hidden_size=4, optimizer={"name": "adamw", "lr": 0.01}, clip_norm=1.0, batch_size=32, seed=seed)
    checkpoint = train(task, settings, None, STEPS).checkpoint
    examples = np.flatnonzero(task.parts["train"].lengths == LETTERS)
    batch = task.batch("train", examples)
    with Tape("OFF"):
        output, _ = restore(task, settings, checkpoint).model(batch)
        p = output.softmax().data
    right, best = p[np.arange(len(examples)), batch.targets], p.max(axis=1)
    found = []
    for example in examples[(right > LIKELY) & (right < best) & (best - right < NEAR)]:
        document = Document(trace_step(task, settings, STEPS + 1, int(example), checkpoint))
        candidate = _judge(document)
        if candidate is not None:
            found.append(candidate)
    return found


def _judge(document: Document) -> Candidate | None:
    doc = document.doc
    example, classes = doc["batch"]["examples"][0], doc["batch"]["classes"]
    nodes = {(node["label"], node["time"]): node["id"] for node in document.nodes if node["label"] in ("p", "h")}
    last = nodes["p", LETTERS]
    before = document.tensor(document.nodes[last]["value"])[0]
    after = document.tensor(doc["after"]["values"][str(last)])[0]
    target, wrong = example["target"], int(before.argmax())
    if wrong == target or int(after.argmax()) != target:
        return None
    norms = [float(np.linalg.norm(document.tensor(document.nodes[nodes["h", t]]["gradient"]))) for t in (1, LETTERS)]
    kinds = doc["events"]["kinds"]
    clip = doc["events"]["details"][str([kinds[kind] for kind in doc["events"]["kind"]].index("clip"))]["terms"]["coefficient"]
    rest = np.delete(after, target).max()
    return Candidate(
        program={key: value for key, value in doc["program"].items() if key != "data"},  # the film is of today's examples
        name=example["text"], wrong=classes[wrong], right=classes[target],
        before=float(before[wrong] - before[target]), after=float(after[target] - rest), shrinks=norms[0] / norms[1],
        clip=float(document.tensor(clip)),
    )  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=120, help="how many trainings to look at")
    arguments.add_argument("--name", help="take this surname where it is among the candidates")
    options = arguments.parse_args()
    found: list[Candidate] = []
    for seed in range(options.seeds):
        found += [c for c in candidates(seed) if c.name.isascii() and c.clip < 1 and SHRINKS[0] < c.shrinks < SHRINKS[1]]
    if not found:
        raise SystemExit("no surname turns; try more --seeds")
    found.sort(key=lambda c: c.score, reverse=True)
    for candidate in found[:20]:
        print(candidate)
    chosen = next((candidate for candidate in found if options.name in (None, candidate.name)), None)
    if chosen is None:
        raise SystemExit(f"{options.name} is not among the candidates; choose one of those above")
    TARGET.write_text(json.dumps(chosen.program) + "\n", encoding="utf-8")
    print(f"written: {TARGET.name} ({chosen.name})")


if __name__ == "__main__":
    main()
