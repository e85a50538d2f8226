// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { document as fixture } from "../model/fixtures";
import { NetworkGrid, shares } from "../model/network";
import { cutsOf } from "../model/truncation";
import { Film } from "../model/film";
import type { Edit } from "../model/program";
import { Tensor, Trace } from "../model/trace";
import { explain } from "../model/explain";
import { formatRoute, parseRoute } from "../app/routing";
import { renderTex } from "../math/render";
import { pack } from "../share/packed";
import type { Program } from "../api/types";
import { differences, lossesOf } from "./differences";
import { itemsOf, originalOf, placeOf, shownNode, withKept, withLetter, withMuted, withMutedStep, withNumber, withTensor, without, lists } from "./edits";
import { History } from "./history.svelte";
import { Mutes } from "./mutes";
import { inputsOf, saturated, scaleOf, withGain } from "./saturation";
import { samePlace } from "./place";
import { describe as say } from "./words";

const original = Trace.from(fixture("rnn"));
const edited = Trace.from(fixture("rnn-edited"));
const film = new Film(edited);
const [before, after] = [NetworkGrid.of(original)!, NetworkGrid.of(edited)!];

describe("a film with edits", () => {
  it("knows what it was made of", () => {
    expect([original.parent, original.edited, original.edits]).toEqual([null, false, []]);
    expect(edited.parent!.id).toBe(`sha256:${"0".repeat(64)}`);
    expect(edited.parent!.program).toEqual(original.program);
    expect(edited.edits).toHaveLength(4);
  });

  it("has the cells, inputs and parameters of the original", () => {
    expect(after.columns).toHaveLength(before.columns.length);
    after.columns.forEach((column, i) => {
      expect(edited.nodes[column.x]!.path).toBe(original.nodes[before.columns[i]!.x]!.path);
      expect(edited.nodes[column.h]!.label).toBe("h");
      expect(column.probe?.p).not.toBeNull();
    });
    expect(after.parameters.map(({ tex }) => tex)).toEqual(before.parameters.map(({ tex }) => tex));
  });

  it("shows what was typed, and the rest as it was computed", () => {
    const h = after.column(2)!.h;
    expect(edited.value(h).at([0, 1])).toBe(0.5);
    expect(edited.typedOver(h)).toBe(edited.node("rnn/t=2/tanh#0").id);
    const typed = explain(film, { kind: "value", node: h, index: [0, 1] }, film.length, 0);
    expect([typed.kind.key, typed.value]).toEqual(["why.kind.typed", 0.5]);
    expect(renderTex(typed.symbols!, false)).toContain("≔"); // one sign, not a colon and a far equals sign
    const computed = explain(film, { kind: "value", node: h, index: [0, 0] }, film.length, 0);
    expect(computed.kind.key).not.toBe("why.kind.typed");
    expect(computed.value).toBe(edited.value(h).at([0, 0]));
  });

  it("gives nothing to a parameter from a use that is muted, and says which", () => {
    const weight = edited.node("rnn.weight_hh_l0").id;
    const list = shares(film, weight, film.length);
    expect(list.filter(({ tensor }) => tensor.data.every((x) => x === 0)).map(({ t }) => t)).toEqual([5, 3, 1]); // h_0 is 0
    const rows = explain(film, { kind: "gradient", node: weight, index: [0, 2] }, film.length, 0).rows;
    expect(rows.filter(({ muted }) => muted).map(({ t, value }) => [t, value === 0])).toEqual([[5, true], [3, true]]);
    const linear = edited.node("rnn/t=3/linear#1").id;
    expect([0, 1].map((port) => edited.isMuted(linear, port))).toEqual([false, true]);
  });

  it("is cut nowhere: muting is no truncation", () => {
    expect([...cutsOf(edited)]).toEqual([]);
  });
});

describe("edits", () => {
  const place = { path: "rnn.weight_hh_l0", index: [0, 2] };

  it("of one number take each other's place, and go where the number is the old one", () => {
    const once = withNumber([], place, 1, original);
    expect(once).toEqual([{ node: place.path, index: [0, 2], value: 1 }]);
    expect(withNumber(once, place, 2, original)).toEqual([{ node: place.path, index: [0, 2], value: 2 }]);
    expect(withNumber(once, place, original.value(original.node(place.path).id).at([0, 2]), original)).toEqual([]);
    expect(withTensor(once, place.path, [[1]])).toEqual([{ node: place.path, value: [[1]] }]);
  });

  it("of muted uses and kept gradients come and go", () => {
    const muted = withMuted([], "rnn/t=3/linear#1", 1, true);
    expect(muted).toEqual([{ mute: { node: "rnn/t=3/linear#1", port: 1 } }]);
    expect(withMuted(muted, "rnn/t=3/linear#1", 1, false)).toEqual([]);
    const step = withMutedStep(muted, 5, true);
    expect(withMutedStep(step, 5, true)).toHaveLength(2);
    expect(withMutedStep(step, 5, false)).toEqual(muted);
    expect(withKept(withKept(muted, true), true)).toEqual([...muted, { zero_grad: false }]);
    expect(withKept(withKept(muted, true), false)).toEqual(muted);
  });

  it("of a letter are one change", () => {
    const letters = original.batch!.features!;
    const z = letters.indexOf("a");
    const edits = withLetter([], 0, 2, z, original);
    expect(edits).toEqual(expect.arrayContaining([{ node: "x", index: [0, 1, z], value: 1 }]));
    expect(edits).toHaveLength(2);
    expect(itemsOf(edits, original)).toEqual([{ edits: [0, 1], letter: { row: 0, t: 2 } }]);
    const back = letters.indexOf(String(original.batch!.examples[0]!.tokens[1]));
    expect(withLetter(edits, 0, 2, back, original)).toEqual([]);
    expect(without(edits, [0, 1])).toEqual([]);
  });

  it("lie in the original's leaves where a number was only moved", () => {
    expect(placeOf(original, original, before.column(3)!.x, [0, 4])).toEqual({ path: "x", index: [0, 2, 4] });
    expect(placeOf(edited, original, after.column(2)!.h, [0, 1])).toEqual({ path: "rnn/t=2/tanh#0", index: [0, 1] });
    expect(placeOf(original, original, original.loss, [])).toBeNull();
  });

  it("find nodes by what they stand for", () => {
    expect(originalOf(edited, original, after.column(2)!.h)).toBe(before.column(2)!.h);
    expect(shownNode(edited, "rnn/t=2/tanh#0")).toBe(after.column(2)!.h);
    expect(shownNode(edited, "nowhere")).toBeNull();
    expect(lists([1, 2, 3, 4], [2, 2], 2)).toEqual([[2, 4], [6, 8]]);
  });

  it("are said in words", () => {
    const edits = edited.edits as Edit[];
    const said = itemsOf(edits, edited).map((item) => say(item, edits, original, edited));
    expect(said.map(({ key }) => key)).toEqual(["whatif.is.number", "whatif.is.number", "whatif.is.muted_at", "whatif.is.muted_step"]);
    expect(said[0]).toMatchObject({ from: original.value(original.node("rnn.weight_hh_l0").id).at([0, 2]), to: 1.5 });
    expect(said[2]!.params).toMatchObject({ t: 3 });
  });
});

describe("differences", () => {
  it("are all there are, the largest first, each with its largest element", () => {
    const found = differences(original, edited);
    const sizes = found.map(({ from, to }) => Math.abs(to - from));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    const weight = found.find(({ kind, node }) => kind === "value" && edited.nodes[node]!.path === "rnn.weight_hh_l0")!;
    expect(weight).toMatchObject({ index: [0, 2], to: 1.5, elements: 1 });
    for (const { kind, node, index, from, to } of found) {
      const there = originalOf(edited, original, node)!;
      expect((kind === "value" ? original.value(there) : original.gradient(there)!).at(index)).toBe(from);
      expect((kind === "value" ? edited.value(node) : edited.gradient(node)!).at(index)).toBe(to);
    }
    expect(lossesOf(original, edited)).toEqual({ from: original.value(original.loss).flat(0), to: edited.value(edited.loss).flat(0) });
  });

  it("there are none of a film with itself", () => {
    expect(differences(original, original)).toEqual([]);
  });
});

describe("the same place", () => {
  it("is found in a longer film and back", () => {
    const now = new Film(edited);
    const was = new Film(original);
    for (let m = 0; m <= was.length; m += 7) {
      const there = samePlace(original, m, edited);
      expect(now.phaseAt(there)).toBe(was.phaseAt(m));
      expect(samePlace(edited, there, original)).toBe(m);
    }
    expect(samePlace(original, was.length, edited)).toBe(now.length);
    expect(samePlace(original, 0, edited)).toBe(0);
  });
});

describe("muting on trial", () => {
  it("leaves the sum of the other contributions, and the whole film without them says the same", () => {
    const shown = new Film(original);
    const weight = original.node("rnn.weight_hh_l0").id;
    const use = original.node("rnn/t=3/linear#1").id;
    const mutes = new Mutes(shown, original, { kind: "gradient", node: weight, index: [1, 2] }, shown.length, new Set([`${use} 1`]));
    const without = shown.contributions(weight).filter(({ time }) => time !== 3).reduce((sum, one) => sum + one.tensor().at([1, 2]), 0);
    expect(mutes.remains()).toBe(without);
    expect(mutes.tried()).toEqual([{ path: "rnn/t=3/linear#1", port: 1 }]);
    expect([mutes.step(), mutes.offered(), mutes.any]).toEqual([3, true, true]);
  });
});

describe("the history", () => {
  const state = (history: History): (string | null)[] => [history.before, history.after];

  it("goes back and forth over whatever changed, and forgets what was undone at a new change", () => {
    const history = new History();
    for (const address of ["a", "b", "c"]) history.visit(address);
    expect(state(history)).toEqual(["b", null]);
    history.visit("b"); // undo, or Back
    expect(state(history)).toEqual(["a", "c"]);
    history.visit("a");
    expect(state(history)).toEqual([null, "b"]);
    history.visit("b");
    expect(state(history)).toEqual(["a", "c"]);
    history.visit("d");
    expect(state(history)).toEqual(["b", null]);
    history.visit("d");
    expect(state(history)).toEqual(["b", null]);
  });

  it("drops a film that could not be made", () => {
    const history = new History();
    history.visit("a");
    history.visit("bad");
    expect(history.refuse()).toBe("a");
    expect(state(history)).toEqual([null, null]);
    history.visit("a");
    expect(state(history)).toEqual([null, null]);
  });
});

describe("the address of a film with edits", () => {
  const program = { kind: "network", task: "surnames", cell: "rnn" } as unknown as Program;

  it("holds every kind of edit", () => {
    const edits: Edit[] = [{ node: "x", index: [0, 0, 1], value: 1 }, { mute: { node: "rnn/t=2/linear#1", port: 1 } }, { mute: { time: 3 } }, { zero_grad: false }];
    expect(parseRoute(formatRoute({ page: "network", program, edits })).edits).toEqual(edits);
    expect(parseRoute(formatRoute({ page: "network", edits })).edits).toEqual(edits);
  });

  it("opens the program of a what-if as what it is made of, and its edits", () => {
    const edits = [{ node: "h", index: null, value: [[1]] }];
    const route = parseRoute(`#/network?p=${pack({ kind: "what-if", parent: `sha256:${"0".repeat(64)}`, program, edits })}`);
    expect([route.program, route.edits, route.broken]).toEqual([program, edits, []]);
  });

  it.each([[[]], [[{ mute: {} }]], [[{ mute: { node: "h", time: 2 } }]], [[{ mute: { node: "h", port: "0" } }]], [[{ zero_grad: true }]], [[{ node: "h" }]], [{ edits: 1 }]])("says so where edits cannot be read: %j", (edits) => {
    expect(parseRoute(`#/network?x=${pack(edits)}`).broken).toEqual(["x"]);
    expect(parseRoute(`#/network?p=${pack({ kind: "what-if", program, edits })}`).broken).toEqual(["p"]);
  });
});

describe("the saturation of a layer", () => {
  it("says by what a matrix was scaled, whatever single elements were typed over", () => {
    const tensor = (...data: number[]): Tensor => new Tensor([data.length], Float64Array.from(data));
    const before = tensor(0.5, -2, 0, 4);
    expect(scaleOf(before, before)).toBe(1);
    expect(scaleOf(tensor(1, -4, 0, 8), before)).toBe(2);
    expect(scaleOf(tensor(100, -2, 0, 4), before)).toBe(1);
    expect(scaleOf(tensor(0, 0, 0, 0), before)).toBeCloseTo(0, 15);
    expect(scaleOf(tensor(3), tensor(0))).toBe(1);
  });

  it("is the share of activations whose slope is below a tenth of its greatest", () => {
    for (const name of ["rnn", "lstm", "gru"] as const) {
      const trace = Trace.from(fixture(name));
      const grid = NetworkGrid.of(trace)!;
      const slopes = grid.columns.flatMap((column) =>
        name === "rnn"
          ? [...trace.value(column.h).data].map((y) => 1 - y * y)
          : [...column.gates].flatMap(([gate, node]) => [...trace.value(node).data].map((y) => ("gn".includes(gate) ? 1 - y * y : (y * (1 - y)) / 0.25))),
      );
      expect(saturated(trace, grid)).toBe(slopes.filter((slope) => slope < 0.1).length / slopes.length);
    }
  });

  it("is driven by what comes from the input: W_ih and both biases are scaled, W_hh stays, and 1 takes it back", () => {
    const trace = original;
    const paths = inputsOf(trace, original, before)!;
    expect(paths).toEqual(["rnn.weight_ih_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0"]);
    const other: Edit = { node: "rnn.weight_hh_l0", index: [0, 1], value: 2 };
    const edits = withGain([other], original, paths, 3);
    expect(edits.map((edit) => "node" in edit && edit.node)).toEqual(["rnn.weight_hh_l0", ...paths]);
    const bias = original.value(original.node("rnn.bias_ih_l0").id);
    expect((edits[2] as { value: unknown }).value).toEqual([...bias.data].map((x) => x * 3));
    expect(withGain(withGain(edits, original, paths, 5), original, paths, 1)).toEqual([other]);
  });
});
