"""What one request may cost: sizes, work and time.

Those that a person may set (server/settings.py) have their defaults here. Bounds that belong to the meaning of a field (a rate above 0,
a name of so many characters) stand with the field, in schemas/ and routes/.
"""

from __future__ import annotations

from engine.ops.formula import MAX_NODES

# requests and answers
BODY_BYTES = 2**20  # JSON
UPLOAD_BYTES = 8 * 2**20  # anything else
JSON_DEPTH = 64
ERRORS = 100  # that are listed of one body
BODY_SECONDS = 30.0  # in which a body has to arrive
RESPONSE_BYTES = 16 * 2**20  # sent whole, before compression

# expressions
EXPRESSION_CHARACTERS = 2_000
EXPRESSION_NODES = MAX_NODES
INPUTS = 50
INPUT_NAME_CHARACTERS = 40
INPUT_DIMENSIONS = 8
INPUT_ELEMENTS = 10_000
EXPRESSION_ELEMENTS = 200_000  # of all intermediate results together

# networks and runs
HIDDEN_SIZE = 256
LAYERS = 4
PARAMETERS = 1_000_000  # of one network, so that its checkpoints stay small
BATCH_SIZE = 256
SEQUENCES = 256  # of the caller's own in one program
SEQUENCE_STEPS = 200
SEQUENCE_FEATURES = 256  # and words of a vocabulary, classes, outputs
SEED = 2**53 - 1  # what JSON's readers hold exactly
TRACE_STEP = 5_000  # of a program posted as a trace, which trains from step 0
TRACE_WORK = 20_000_000_000  # of the steps before it (programs/cost.py): some seconds of one processor core
STEPS_PER_REQUEST = 10_000
RUN_STEPS = 20_000
MISTAKES = 500  # that are listed of a network on a part
LANDSCAPE_RUNS = 4  # upon one landscape
LANDSCAPE_RESOLUTION = 41  # points a side
LANDSCAPE_EXAMPLES = 512  # over which its loss is taken
LANDSCAPE_NETWORKS = 24  # of one run's way,
LANDSCAPE_BYTES = 64 * 2**20  # and of all of a map's together; of networks that are larger, fewer are taken
LANDSCAPE_FEWEST = 12  # below which a training is repeated for more,
LANDSCAPE_REPEAT_SECONDS = 10.0  # where it took no longer
LANDSCAPES = 256  # kept
LANDSCAPES_AT_ONCE = 8
EXPORT_STEPS = 100  # whose losses the script of an exported run compares with the run's
EXPORT_MASK_BYTES = 64 * 2**20  # of the dropout masks that go with it; fewer steps are compared where they pass this
EXPORT_EXAMPLE_BYTES = 256 * 2**20  # of the examples that go with it, unpacked; it does fewer steps where they pass this
RUN_EDITS = 200  # changes of the learning rate of one run
RUN_NAME_CHARACTERS = 100
RUN_SECONDS = 86_400.0  # that a run may be told to train
OBSERVATIONS = 50  # answered at once

# streams
STREAMS = 200  # open at a time
VISITOR_STREAMS = 16
UPDATE_SECONDS = 0.1  # between two updates of a run
HEARTBEAT_SECONDS = 15.0  # after which a stream without news shows that it lives
STREAM_LOOK_SECONDS = 1.0  # after which the database is asked about a run that another server may train
STREAM_FRAMES = 64  # updates of a run that are kept for all who listen,
STREAM_BYTES = 256 * 2**10  # and their size

# imported graphs
GRAPH_VALUE_ELEMENTS = 100_000  # of one value that is written in lists

# files of arrays
UPLOAD_ELEMENTS = 4_000_000  # numbers in one
UPLOAD_TENSORS = 1_000
UPLOAD_UNPACKED_BYTES = 40 * 2**20  # of all members of an npz
UPLOAD_HEADER_BYTES = 2**20  # of safetensors
TENSOR_NAME_CHARACTERS = 200
SEQUENCE_ELEMENTS = 200_000  # of own sequences that are tensors of an upload
PROGRAM_UPLOADS = 8  # that one program refers to

# edits of one trace, and traces that come of edits of each other
EDITS = 1_000
EDIT_DEPTH = 16

# traces
GRAPH_NODES = 20_000
TRACE_ELEMENTS = 4_000_000  # numbers in one trace
COMPUTE_SECONDS = 2.0  # processor time of one computation that a request waits for

# Work is ended after so long by the clock, on however busy a machine.
QUICK_SECONDS = 20.0
TRACE_SECONDS = 60.0
SLICE_SECONDS = 120.0

# workers
WORKER_MEMORY = 2 * 2**30  # bytes of one
QUEUE = 64  # pieces of work that wait for one

# checkpoints kept of a run
CHECKPOINT_SPACING = 100  # steps
CHECKPOINT_BYTES = 2**28

# sweeps
SWEEP_TRIALS = 200
SWEEP_DIMENSIONS = 8
SWEEP_CHOICES = 20
SWEEP_SECONDS = 24 * 3600
SWEEPS_AT_ONCE = 3  # of one visitor
SWEEP_LOOK_SECONDS = 0.5  # between two events of one

# visitors
VISITOR_SWEEPS = 16
VISITOR_RUNS = 64  # kept of one who has no account
VISITOR_UPLOADS = 16
VISITOR_PINS = 16
PINNED_PART = 0.5  # of the bytes of stored traces that pinned ones may take
WRITES_PER_SECOND = 30  # of one address

# answers kept for requests that come again with their Idempotency-Key; beyond these the oldest go
KEY_CHARACTERS = 200
KEPT_ANSWERS = 2_000
KEPT_ANSWER_BYTES = 32 * 2**20

# evaluations kept in memory, since figures and mistakes of a step are read one after the other
KEPT_EVALUATIONS = 64
KEPT_EVALUATION_BYTES = 16 * 2**20  # as JSON

LINK_BYTES = 256 * 2**10  # of the JSON of one state that is kept under a short name

PAGE = 100
LISTED_PROGRAM_BYTES = 8192  # of one in a list, where a longer one is told by its kind and size

# data of one's own (server/datasets)
DATASET_BYTES = 10 * 2**20
DATASET_ROWS = 20_000  # that are read
DATASET_COLUMNS = 100
DATASET_COMPUTE_SECONDS = 10.0  # processor time in which one is read; the largest takes a few seconds
DATASET_CELL = 10_000  # characters
DATASET_NAME = 60  # characters of a column's name, and of a class
DATASET_SHOWN = 200  # characters of a cell in the preview
DATASET_LETTERS = 64  # of a text that are read, unless the program says otherwise
DATASET_SECONDS = 3600.0  # for which one is kept that no run uses
VISITOR_DATASETS = 8
