"""JAX: the whole step compiled, the time loop as lax.scan, the projection of the inputs hoisted out of it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.peers import Step
from benchmarks.problem import Problem

jax.config.update("jax_cpu_enable_async_dispatch", False)

State = tuple[Any, ...]


def rnn(gi: Any, state: State, W_hh: Any, b_hh: Any) -> State:
    return (jnp.tanh(gi + (state[0] @ W_hh.T + b_hh)),)


def gru(gi: Any, state: State, W_hh: Any, b_hh: Any) -> State:
    (h,) = state
    gh = h @ W_hh.T + b_hh
    (ri, zi, ni), (rh, zh, nh) = jnp.split(gi, 3, axis=1), jnp.split(gh, 3, axis=1)
    r, z = jax.nn.sigmoid(ri + rh), jax.nn.sigmoid(zi + zh)
    n = jnp.tanh(ni + r * nh)
    return ((1 - z) * n + z * h,)


def lstm(gi: Any, state: State, W_hh: Any, b_hh: Any) -> State:
    h, c = state
    i, f, g, o = jnp.split(gi + (h @ W_hh.T + b_hh), 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return (jax.nn.sigmoid(o) * jnp.tanh(c), c)


STEPS = {"rnn": rnn, "gru": gru, "lstm": lstm}


def prepare(problem: Problem) -> Step:
    B, _, _, H = problem.workload
    advance, count = STEPS[problem.cell], 2 if problem.cell == "lstm" else 1
    x, targets = jnp.asarray(problem.x), jnp.asarray(problem.targets)
    parameters = [jnp.asarray(w) for w in problem.weights]

    def loss_of(weights: Any) -> Any:
        W_ih, W_hh, b_ih, b_hh, W, b = weights
        projected = x.swapaxes(0, 1) @ W_ih.T + b_ih
        state, _ = jax.lax.scan(lambda s, gi: (advance(gi, s, W_hh, b_hh), None), (jnp.zeros((B, H)),) * count, projected)
        logits = jax.nn.log_softmax(state[0] @ W.T + b)
        return -logits[jnp.arange(B), targets].mean()

    @jax.jit
    def update(weights: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(weights)
        return loss, [w - problem.learning_rate * g for w, g in zip(weights, gradients, strict=True)]

    def step() -> float:
        nonlocal parameters
        loss, parameters = jax.block_until_ready(update(parameters))
        return float(loss)

    return step
