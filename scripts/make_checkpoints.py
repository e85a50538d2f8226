"""Trains the networks that come with the server and writes them to server/checkpoints.

    python scripts/make_checkpoints.py            # some twenty seconds
    python scripts/make_checkpoints.py --check    # trains again and says how far the stored ones are off; writes nothing

An RNN, an LSTM and a GRU learn to add two marked numbers of fifty, all with the same settings. Long trainings are chaotic: another
processor's last digits grow, so the same script elsewhere may end in other networks. What is stored is what counts.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as read_arrays

from engine.nn import to_safetensors
from engine.training import Settings, evaluate, train
from engine.training.checkpoint import restore
from server.checkpoints import parameters
from server.tasks import load

FOLDER = Path(__file__).resolve().parent.parent / "server" / "checkpoints"
TASK, CELLS, STEPS, FIRST, LAST = "adding-50", ("rnn", "lstm", "gru"), 2500, 10, 100


def settings(cell: str) -> Settings:
    """The same for every cell."""
    return Settings(cell=cell, hidden_size=16, optimizer={"name": "adamw", "lr": 0.002}, clip_norm=1.0, batch_size=32, seed=4)


def trained(cell: str, steps: int = STEPS) -> tuple[bytes, dict[str, Any]]:
    """A safetensors file, and what index.json says of it. loss: the mean of the last hundred steps."""
    task, chosen = load(TASK), settings(cell)
    done = train(task, chosen, None, steps)
    figures = evaluate(task, chosen, done.checkpoint, "validation")
    about = {"program": {"task": task.name, "data": task.data_version, **chosen.to_program()}, "step": steps,
             "loss": float(np.mean(done.losses[-LAST:])), "validation": figures, "first_losses": done.losses[:FIRST]}  # fmt: skip
    return to_safetensors(restore(task, chosen, done.checkpoint).model), about


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true", help="compare with what is stored, write nothing")
    check = arguments.parse_args().check
    index = {}
    for cell in CELLS:
        name = f"{TASK}-{cell}"
        data, about = trained(cell)
        print(f"{name}: loss {about['loss']:.4f}, validation {about['validation']}")
        if check:
            stored, made = read_arrays(parameters(name)), read_arrays(data)
            print(f"  largest difference of a parameter: {max(float(np.abs(stored[key] - made[key]).max()) for key in made):.3g}")
        else:
            (FOLDER / f"{name}.safetensors").write_bytes(data)
        index[name] = about
    if not check:
        (FOLDER / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
