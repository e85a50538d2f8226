"""Which programs are traced: what a request, or `retrograd export`, asks for is bounded before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.programs.graph import check_nodes
from server.programs.network import admit, check_reach
from server.programs.what_if import depth, first, within


def admit_program(program: Mapping[str, Any], nodes: int, elements: int) -> None:
    """Estimates what the trace of a program would hold, and how long its training would take.

    Raises LimitError for more nodes or numbers than may be, ProgramError for a step or an example that cannot be; their pointers lead to
    the program that is wrong, however many edits stand around it.
    """
    base = first(program)
    with within(depth(program)):
        if base["kind"] == "graph":
            check_nodes(len(base["nodes"]), nodes)
        if base["kind"] == "network":
            admit(base, nodes, elements)
            check_reach(base)
