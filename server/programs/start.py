"""Where a network program starts, where that is not its seed's initial network: a trained one that comes with the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safetensors.numpy import load

from engine.training import Settings
from engine.training.checkpoint import start_from
from server import checkpoints
from server.programs.errors import ProgramError
from server.tasks import ArrayTask

_POINTER = "/program/start/checkpoint"


def normalised_start(program: Mapping[str, Any]) -> dict[str, Any]:
    """`start` as it stands in the program of a trace, by its name; nothing where the seed decides.

    Raises ProgramError for a checkpoint that there is not, or of other numbers than today's.
    """
    start = program.get("start")
    if start is None:
        return {}
    name, known = start["checkpoint"], checkpoints.index()
    if name not in known:
        raise ProgramError(f"there is no such checkpoint; they are {', '.join(known)}", _POINTER)
    version = known[name]["version"]
    if start.get("version") not in (None, version):
        changed = f"the checkpoint {name} has changed since this program was made: it is version {version} now"
        detail = f"{changed}, and what it showed cannot be computed again; make a new one, without `version`"
        raise ProgramError(detail, "/program/start/version")
    return {"start": {"checkpoint": name, "version": version}}


def initial(program: Mapping[str, Any], task: ArrayTask, settings: Settings) -> bytes | None:
    """The checkpoint of step 0 of the program's training; None where its seed draws the parameters.

    Raises ProgramError for what `normalised_start` does, and for parameters of another network than the program's.
    """
    start = normalised_start(program).get("start")
    if start is None:
        return None
    name = start["checkpoint"]
    made = checkpoints.index()[name]["program"]
    try:
        return start_from(task, settings, load(checkpoints.parameters(name)))
    except ValueError as error:
        was = f"{name} is of the cell {made['cell']} with hidden size {made['hidden_size']}, learning {made['task']}"
        raise ProgramError(f"{was}: {error}; give the program the same network, or leave start out", _POINTER) from None
