"""The operations: one definition each, everything else derived from it."""

from engine.ops import activations as activations
from engine.ops import cast as cast
from engine.ops import elementwise as elementwise
from engine.ops import fused as fused
from engine.ops import layers as layers
from engine.ops import linear as linear
from engine.ops import losses as losses
from engine.ops import network as network
from engine.ops import rearrange as rearrange
from engine.ops import reductions as reductions
from engine.ops import shape as shape
from engine.ops import truncate as truncate
from engine.ops.catalogue import catalogue, describe
from engine.ops.op import REGISTRY, NumpyNamespace, Op

__all__ = ["REGISTRY", "NumpyNamespace", "Op", "catalogue", "describe"]
