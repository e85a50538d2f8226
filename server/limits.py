"""How much one request may ask for. Every limit of the API stands here, and nowhere else."""

from __future__ import annotations

BODY_BYTES = 2**20

# expressions
EXPRESSION_CHARACTERS = 2_000
INPUTS = 50
INPUT_NAME_CHARACTERS = 40
INPUT_DIMENSIONS = 8
INPUT_ELEMENTS = 10_000
EXPRESSION_ELEMENTS = 200_000  # of all intermediate results together
EXPRESSION_SECONDS = 20.0

# networks and runs
HIDDEN_SIZE = 256
BATCH_SIZE = 256
SEED = 2**53 - 1  # what JSON's readers hold exactly
TRACE_STEP = 5_000  # of a program posted as a trace, which trains from step 0
TRACE_ELEMENTS = 6_000_000  # numbers in the trace of a step
TRACE_SECONDS = 300.0
STEPS_PER_REQUEST = 10_000
RUN_STEPS = 20_000
SLICE_SECONDS = 120.0  # for what takes 0.25 s as a rule

# checkpoints kept of a run
CHECKPOINT_SPACING = 50  # steps
CHECKPOINT_BYTES = 2**28

PAGE = 100
