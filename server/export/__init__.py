"""A trace in the formats of others: one file a format, each with a function from a document to bytes."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from engine.trace import Document


class ExportError(ValueError):
    """A trace that a format cannot hold. Says what it has, what the format lacks and what to do. Travels between processes."""


class NotBuiltError(ExportError):
    """The web app, which a film is exported with, is not there."""


@dataclass(frozen=True)
class Format:
    """A format's module in this package, the media type and ending of its files, and what docs/api.md says of it.

    The module is imported where it is used first: onnx alone takes longer than all else to be read.
    """

    module: str
    media_type: str
    suffix: str
    about: str

    def writer(self) -> Callable[[Document], bytes]:
        """From a trace to this format; raises ExportError for what the format cannot hold."""
        write: Callable[[Document], bytes] = importlib.import_module(f"server.export.{self.module}").write
        return write


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "dot": Format("dot", "text/vnd.graphviz", "dot", "the graph for Graphviz, a cluster a scope"),
        "mermaid": Format("mermaid", "text/vnd.mermaid", "mmd", "the graph as a Mermaid flowchart, a subgraph a scope"),
        "graphml": Format("graphml", "application/graphml+xml", "graphml", "the graph with its attributes, edges with ports"),
        "model-explorer": Format("model_explorer", "application/json", "json", "graph JSON of Model Explorer, a layer a scope"),
        "html": Format("html", "text/html", "html", "the film as one file that plays offline"),
        "npz": Format("npz", "application/zip", "npz", "every number by kind and path, for numpy.load; no pickle"),
        "onnx": Format("onnx_model", "application/onnx", "onnx", "the forward graph with its numbers, ONNX opset 18"),
    }
)


def file_name(program: Mapping[str, Any], trace_id: str, suffix: str) -> str:
    """What a browser calls the file: plain ASCII, whatever the program holds."""
    parts = ["retrograd", program.get("kind")]
    if program.get("kind") == "network":
        parts += [program.get("task"), program.get("cell"), f"step-{program.get('step')}"]
    plain = [re.sub(r"[^A-Za-z0-9-]+", "-", str(part)).strip("-")[:40] for part in [*parts, trace_id.removeprefix("sha256:")[:12]]]
    return f"{'-'.join(part for part in plain if part)}.{suffix}"
