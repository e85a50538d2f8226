"""What one request may cost: sizes, work and time.

Bounds that belong to the meaning of a field (a rate above 0, a name of so many characters) stand with the field, in schemas/ and routes/.
"""

from __future__ import annotations

BODY_BYTES = 2**20

# expressions
EXPRESSION_CHARACTERS = 2_000
INPUTS = 50
INPUT_NAME_CHARACTERS = 40
INPUT_DIMENSIONS = 8
INPUT_ELEMENTS = 10_000
EXPRESSION_ELEMENTS = 200_000  # of all intermediate results together

# networks and runs
HIDDEN_SIZE = 256
BATCH_SIZE = 256
SEED = 2**53 - 1  # what JSON's readers hold exactly
TRACE_STEP = 5_000  # of a program posted as a trace, which trains from step 0
TRACE_WORK = 20_000_000_000  # of the steps before it (programs/cost.py): some seconds of one processor core
TRACE_ELEMENTS = 6_000_000  # numbers in the trace of a step
STEPS_PER_REQUEST = 10_000
RUN_STEPS = 20_000

# Work is ended after so long. Each is many times what the largest work within the limits above takes.
QUICK_SECONDS = 20.0
TRACE_SECONDS = 60.0
SLICE_SECONDS = 120.0

# checkpoints kept of a run
CHECKPOINT_SPACING = 50  # steps
CHECKPOINT_BYTES = 2**28

PAGE = 100
