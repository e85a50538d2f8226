"""Sequence to sequence: one network reads, another writes, starting from what the first remembers."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.nn.linear import Embedding, Linear
from engine.nn.module import Module
from engine.nn.random import Stream, probability
from engine.nn.recurrent import Recurrent
from engine.ops.op import Array
from engine.tensor import Tensor, apply


class Seq2Seq(Module):
    """Encoder and decoder with teacher forcing (Sutskever et al. 2014; Williams and Zipser 1989).

    encoder, decoder: recurrent layers of the same cell, size and number, batch first, one direction. embedding: of the tokens that the
    decoder reads. head: from its hidden state to one logit a token. start: the token it reads first. teacher_forcing: how often it then
    reads the right token in training, not the one it held most probable; drawn for each step from `seed`. Raises ValueError for misfits.
    """

    def __init__(
        self, encoder: Recurrent, decoder: Recurrent, embedding: Embedding, head: Linear, *, start: int = 0, teacher_forcing: float = 1.0,
        seed: int | None = None,
    ) -> None:  # fmt: skip
        shapes = [(net.cell, net.hidden_size, net.num_layers, net.bidirectional, net.batch_first) for net in (encoder, decoder)]
        if shapes[0] != shapes[1] or encoder.bidirectional or not encoder.batch_first:
            raise ValueError(
                f"Seq2Seq: encoder {encoder!r} and decoder {decoder!r}; expected the same cell, hidden_size and num_layers, one direction, "
                "batch_first=True"
            )
        if embedding.embedding_dim != decoder.input_size or head.in_features != decoder.hidden_size:
            raise ValueError(
                f"Seq2Seq: the embedding has {embedding.embedding_dim} features and the head reads {head.in_features}; expected "
                f"{decoder.input_size} and {decoder.hidden_size}"
            )
        self.encoder, self.decoder, self.embedding, self.head = encoder, decoder, embedding, head
        self.start, self.teacher_forcing, self.stream = start, probability("teacher_forcing", teacher_forcing), Stream(seed)

    def forward(self, source: Tensor, target: Any, *, lengths: Any = None) -> Tensor:
        """Logits (batch, steps, tokens) for the tokens of `target`, (batch, steps) integers.

        source: (batch, time, features). In evaluation mode the decoder reads what it wrote. Raises ValueError for other shapes.
        """
        tokens = np.asarray(getattr(target, "data", target))
        if tokens.ndim != 2 or tokens.dtype.kind not in "iu" or tokens.shape[0] != source.shape[0] or not tokens.shape[1]:
            raise ValueError(
                f"Seq2Seq: target has shape {tokens.shape} and dtype {tokens.dtype}; expected integers ({source.shape[0]}, steps)"
            )
        ratio = self.teacher_forcing if self.training else 0.0
        _, state = self.encoder(source, lengths=lengths)
        if ratio == 1.0:  # every input is known: one pass over the whole sequence
            first = np.full((len(tokens), 1), self.start, tokens.dtype)
            output, _ = self.decoder(self.embedding(np.concatenate([first, tokens[:, :-1]], axis=1)), state)
            logits: Tensor = self.head(output)
            return logits
        forced: Array = np.asarray(self.stream.generator().random(tokens.shape[1]) < ratio)
        return self._step_by_step(state, tokens, forced)

    def generate(self, source: Tensor, steps: int, *, lengths: Any = None) -> Array:
        """The tokens that the network holds most probable, (batch, steps), each read as the next input."""
        _, state = self.encoder(source, lengths=lengths)
        logits = self._step_by_step(state, np.zeros((source.shape[0], steps), np.int64), np.zeros(steps, bool))
        best: Array = logits.data.argmax(axis=2)
        return best

    def _step_by_step(self, state: Any, tokens: Array, forced: Array) -> Tensor:
        read = np.full((len(tokens), 1), self.start, np.int64)
        written = []
        for t in range(tokens.shape[1]):
            output, state = self.decoder(self.embedding(read), state)
            written.append(self.head(output[:, 0]))
            read = tokens[:, t : t + 1] if forced[t] else written[-1].data.argmax(axis=1)[:, None]
        return apply("stack", *written, axis=1)
