/** The API's documents: generated from its description (scripts/make_api_types.py), under the names that the page knows them by. */
import type { ExpressionProgram, NetworkProgram, Program } from "../model/program";
import type { Example, Token } from "../model/trace";
import type { Decoded } from "./numbers";
import type { components } from "./openapi";

export type { Example, ExpressionProgram, NetworkProgram, Program, Token };

type Schemas = components["schemas"];

export type CellKind = NetworkProgram["cell"];
export type OptimizerSettings = NetworkProgram["optimizer"];
/** What fixes a training: everything of a network program but the step and the example that are looked at. */
export type RunProgram = Omit<NetworkProgram, "kind" | "step" | "example" | "part" | "start">;
/** A number, or lists of numbers of any depth. */
export type InputValue = number | InputValue[];

/** A trained network that comes with the server. */
export type Checkpoint = Schemas["Checkpoint"];

export type Localised = Schemas["Localised"];
export type TaskInfo = Schemas["Task"];

/** A page of a list; `next` is the cursor of the page after it. */
export type Page<Item> = Omit<Schemas["RunPage"], "items"> & { items: Item[] };

export type Validation = Decoded<Schemas["Validation"]>;
/** An answer's program names its task, where a request's may choose a data set instead. */
type Written<Answer> = Omit<Answer, "program"> & { program: RunProgram };
export type RunSummary = Written<Decoded<Schemas["RunSummary"]>>;
export type Run = Written<Decoded<Schemas["Run"]>>;

/** The batch of a run's step, and what of it can be shown. */
export type RunStep = Schemas["RunStep"];

export type RunState = Decoded<Schemas["RunState"]>;
export type StopConditions = Schemas["StopConditions"];
export type Scores = Decoded<Schemas["Scores"]>;
export type RunMetrics = Decoded<Schemas["RunMetrics"]>;
export type TestedRun = Decoded<Schemas["TestedRun"]>;
export type Mistake = Decoded<Schemas["Mistake"]>;
export type MistakePage = Decoded<Schemas["MistakePage"]>;

/** Data of the visitor's own, and what a program takes of them. */
export type Dataset = Schemas["Dataset"];
export type DatasetSummary = Schemas["DatasetSummary"];
export type DataColumn = Schemas["DataColumn"];
export type DataProblem = Schemas["DataProblem"];
export type DatasetChoice = Schemas["TextChoice"] | Schemas["SeriesChoice"];
export type ChosenTask = Schemas["ChosenTask"];

/** A finite-difference check of one gradient. */
export type Check = Decoded<Schemas["Check"]>;
/** Itemised back-propagation through time. */
export type Bptt = Decoded<Schemas["Bptt"]>;
export type Figure = Schemas["Figure"];
