"""Multi-head attention and the transformer's encoder layer. Below TRACE attention is one op; a trace shows its primitives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.nn import init
from engine.nn.dropout import Dropout, dropped
from engine.nn.linear import Linear
from engine.nn.module import Module, Parameter
from engine.nn.normalisation import LayerNorm
from engine.nn.random import Stream, probability
from engine.ops.op import Array
from engine.tape import label, scope, tracing
from engine.tensor import Tensor, apply


class MultiheadAttention(Module):
    """Several attentions side by side, each on its part of the features, as torch.nn.MultiheadAttention.

    embed_dim: features, a multiple of num_heads. dropout: on the attention weights, in training. in_proj_weight (3 embed_dim, embed_dim)
    holds the projections of query, key and value, Xavier-uniform; biases start at 0. add_bias_kv, add_zero_attn, kdim and vdim stand in
    their places and are refused.
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False, *,
        seed: int | None = None, dtype: Any = np.float64, generator: np.random.Generator | None = None,
    ) -> None:  # fmt: skip
        if add_bias_kv or add_zero_attn or kdim not in (None, embed_dim) or vdim not in (None, embed_dim):
            raise ValueError(
                f"MultiheadAttention: {add_bias_kv=}, {add_zero_attn=}, {kdim=}, {vdim=} are not offered; expected False, False, and keys "
                f"and values of embed_dim={embed_dim} features: put a Linear before them"
            )
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: embed_dim {embed_dim} is no multiple of num_heads {num_heads}")
        self.embed_dim, self.num_heads, self.batch_first = embed_dim, num_heads, batch_first
        self.dropout, self.stream = probability("dropout", dropout), Stream(seed)
        self.in_proj_weight = Parameter(np.empty((3 * embed_dim, embed_dim), dtype))
        init.xavier_uniform_(self.in_proj_weight, generator=generator)
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim), dtype=dtype) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, generator=generator)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
        average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """(output, weights) as PyTorch.

        query (L, batch, E), key and value (S, batch, E), batch first if so set, or without a batch (L, E), (S, E).
        key_padding_mask (batch, S): True where a key is hidden, or numbers that are added to the scores. attn_mask (L, S) or
        (batch * heads, L, S): the same. is_causal: a hint, as in PyTorch: give attn_mask too. weights: (batch, L, S), the mean over the
        heads, or (batch, heads, L, S); None if not needed.
        """
        if is_causal and attn_mask is None:
            raise ValueError("MultiheadAttention: is_causal is a hint about attn_mask; give attn_mask as well")
        if query.ndim == 2:
            return self._unbatched(query, key, value, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal)
        if not self.batch_first:
            for x in (query, key, value):
                self._check(x)
            query, key, value = (x.transpose([1, 0, 2]) for x in (query, key, value))
        if key.shape[:2] != value.shape[:2] or query.shape[0] != key.shape[0]:
            raise ValueError(
                f"MultiheadAttention: query, key and value have {query.shape[:2]}, {key.shape[:2]} and {value.shape[:2]} sequences and "
                "steps; expected as many sequences in all, and as many steps in key and value"
            )
        q, k, v = (self._heads(x, part) for part, x in enumerate((query, key, value)))
        mask = self._mask(q, k, attn_mask, key_padding_mask)
        weights: Tensor | None = None
        dropping = self.training and self.dropout > 0
        if need_weights or dropping or tracing() is not None:
            with scope("attention"):
                scores = (q @ k.transpose()) * (1 / math.sqrt(q.shape[-1]))
                weights = label((scores if mask is None else scores + mask).softmax(), "p")
                seen = dropped(weights, self.dropout, self.stream) if dropping else weights
                mixed = seen @ v
        else:
            mixed = apply("scaled_dot_product_attention", q, k, v, q.dtype.type(0) if mask is None else mask)
        batch, _, length, _ = q.shape
        output = self.out_proj(mixed.permute(0, 2, 1, 3).reshape(batch, length, self.embed_dim))
        if not need_weights:
            weights = None
        elif weights is not None and average_attn_weights:
            weights = weights.mean(axis=1)
        return (output if self.batch_first else output.transpose([1, 0, 2])), weights

    def _unbatched(self, query: Tensor, key: Tensor, value: Tensor, padding: Any, *rest: Any) -> tuple[Tensor, Tensor | None]:
        """One sequence without a batch."""
        place = 0 if self.batch_first else 1
        if key.ndim != 2 or value.ndim != 2:
            raise ValueError(
                f"MultiheadAttention: query has shape {query.shape}, key {key.shape}, value {value.shape}; expected a batch in all or none"
            )
        hidden = None if padding is None else np.asarray(getattr(padding, "data", padding))[None]
        q, k, v = (x.unsqueeze(place) for x in (query, key, value))
        output, weights = self.forward(q, k, v, hidden, *rest)
        return output.squeeze(place), None if weights is None else weights.squeeze(0)

    def _check(self, x: Tensor) -> None:
        E = self.embed_dim
        if x.ndim != 3 or x.shape[2] != E:
            raise ValueError(f"MultiheadAttention: input has shape {x.shape}; expected (batch, length, {E}) or (length, batch, {E})")

    def _heads(self, x: Tensor, part: int) -> Tensor:
        """The projection of query, key or value, (batch, heads, length, features of a head)."""
        self._check(x)
        E = self.embed_dim
        rows = slice(part * E, (part + 1) * E)
        projected = apply("linear", x, self.in_proj_weight[rows])
        if self.in_proj_bias is not None:
            projected = projected + self.in_proj_bias[rows]
        return projected.reshape(x.shape[0], x.shape[1], self.num_heads, E // self.num_heads).permute(0, 2, 1, 3)

    def _mask(self, q: Tensor, k: Tensor, attn_mask: Any, key_padding_mask: Any) -> Array | None:
        """What is added to the scores (batch, heads, L, S): -inf where hidden."""
        batch, heads, length, _ = q.shape
        total: Array | None = None
        for given, shape in ((attn_mask, (-1, heads, length, k.shape[2])), (key_padding_mask, (batch, 1, 1, k.shape[2]))):
            if given is None:
                continue
            plain = np.asarray(getattr(given, "data", given))
            added = np.where(plain, -np.inf, 0.0) if plain.dtype.kind == "b" else plain
            added = added.astype(q.dtype)
            if given is attn_mask and added.shape == (length, k.shape[2]):
                shape = (1, 1, length, k.shape[2])
            try:
                added = added.reshape(shape)
            except ValueError:
                keys = k.shape[2]
                raise ValueError(
                    f"MultiheadAttention: a mask of shape {plain.shape} for {batch} sequences of {length} queries and {keys} keys; "
                    f"expected attn_mask ({length}, {keys}) or ({batch * heads}, {length}, {keys}), key_padding_mask ({batch}, {keys})"
                ) from None
            total = added if total is None else total + added
        return total

    def extra_repr(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}"


class TransformerEncoderLayer(Module):
    """Self-attention and two linear layers, each with a way around it, normalised after (or before: norm_first), as PyTorch's."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation: str = "relu",
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True, *, seed: int | None = None,
        dtype: Any = np.float64, generator: np.random.Generator | None = None,
    ) -> None:  # fmt: skip
        if activation not in ("relu", "gelu"):
            raise ValueError(f"TransformerEncoderLayer: activation is {activation!r}; expected 'relu' or 'gelu'")
        self.activation, self.norm_first = activation, norm_first
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, seed=seed, dtype=dtype, generator=generator
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype, generator=generator)
        self.dropout = Dropout(dropout, seed=seed)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype, generator=generator)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout, seed=seed), Dropout(dropout, seed=seed)
        if seed is not None:
            self.seed_(seed)  # each layer its own stream

    def forward(self, src: Tensor, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Tensor:
        """(length, batch, d_model), batch first if so set, to the same shape; masks as `MultiheadAttention.forward`."""
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x: Tensor = src + self._attend(self.norm1(src), *masks)
            return x + self._feed(self.norm2(x))
        x = self.norm1(src + self._attend(src, *masks))
        normal: Tensor = self.norm2(x + self._feed(x))
        return normal

    def _attend(self, x: Tensor, mask: Any, padding: Any, is_causal: bool) -> Tensor:
        attended, _ = self.self_attn(x, x, x, padding, need_weights=False, attn_mask=mask, is_causal=is_causal)
        output: Tensor = self.dropout1(attended)
        return output

    def _feed(self, x: Tensor) -> Tensor:
        output: Tensor = self.dropout2(self.linear2(self.dropout(apply(self.activation, self.linear1(x)))))
        return output
