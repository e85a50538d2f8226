import ELK from "elkjs/lib/elk.bundled.js";
import { describe, expect, it } from "vitest";
import rnn from "../model/fixtures/rnn.json";
import scalar from "../model/fixtures/scalar.json";
import { Trace, type TraceNode } from "../model/trace";
import { columns } from "./columns";
import { grouping } from "./groups";
import { elkGraph, placed, type Placed } from "./layout";
import { portHeight, sceneOf, type Scene } from "./scene";
import { boxesOf } from "./spatial";

/** A trace of nodes alone, as far as drawings read one: `inputs[i]` are those of node i. */
function graphOf(inputs: readonly (readonly number[])[], scopes: readonly string[] = []): Trace {
  const nodes = inputs.map((from, id): Partial<TraceNode> => ({ id, path: `n${id}`, op: from.length ? "add" : null, label: null, scope: scopes[id] ?? "", inputs: [...from], shape: [] }));
  const consumers = nodes.map(() => [] as { node: number; port: number }[]);
  nodes.forEach((node) => node.inputs!.forEach((from, port) => consumers[from]!.push({ node: node.id!, port })));
  return { nodes, consumers: (node: number) => consumers[node]!, program: { kind: "expression" } } as unknown as Trace;
}

/** A graph of `count` nodes whose inputs lie at most `reach` behind, always the same. */
function tangle(count: number, reach: number, leaves = 5): Trace {
  let seed = 1;
  const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
  return graphOf(Array.from({ length: count }, (_, i) => (i < leaves ? [] : [i - 1, Math.max(0, i - 1 - Math.floor(random() * reach))])));
}

function expectSound(scene: Scene, result: Placed): void {
  const boxes = boxesOf(scene, result);
  scene.lines.forEach((line, l) => {
    const points = result.lines[l]!;
    const [start, end] = [boxes[line.from]!, boxes[line.to]!];
    expect(points[0]!.x).toBeCloseTo(start.x + start.width, 5);
    expect(points.at(-1)!.x).toBeCloseTo(end.x, 5);
    expect(points.at(-1)!.y).toBeGreaterThanOrEqual(end.y);
    expect(points.at(-1)!.y).toBeLessThanOrEqual(end.y + end.height);
  });
  const order = boxes.map((_, i) => i).sort((a, b) => boxes[a]!.x - boxes[b]!.x);
  order.forEach((a, place) => {
    for (const b of order.slice(place + 1)) {
      const [p, q] = [boxes[a]!, boxes[b]!];
      if (q.x >= p.x + p.width) break;
      if (!(p.y + p.height <= q.y || q.y + q.height <= p.y)) throw new Error(`card ${a} lies on card ${b}`);
    }
  });
  for (const box of boxes) {
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.y).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(result.width + 1);
    expect(box.y + box.height).toBeLessThanOrEqual(result.height + 1);
  }
}

const whole = (trace: Trace, open: readonly string[] = []): Scene => sceneOf(trace, grouping(trace), new Set(open));

describe("ELK's layout", () => {
  it("of a formula goes from left to right, no card on another, lines from card to card", async () => {
    const scene = whole(Trace.from(scalar));
    const result = placed(scene, await new ELK().layout(elkGraph(scene)));
    expectSound(scene, result);
    for (const line of scene.lines) expect(result.cards[line.from]!.x).toBeLessThan(result.cards[line.to]!.x);
  });

  it("puts what an open group holds into its frame, and nothing else", async () => {
    const trace = Trace.from(rnn);
    const { groups } = grouping(trace);
    const scene = whole(trace, groups.map((group) => group.path));
    const result = placed(scene, await new ELK().layout(elkGraph(scene)));
    expectSound(scene, result);
    expectFramed(scene, result, groups.map((group) => group.path));
  });
});

/** Frames of these groups, around what belongs to them and nothing else. */
function expectFramed(scene: Scene, result: Placed, paths: string[]): void {
  expect([...result.frames.keys()].sort()).toEqual([...paths].sort());
  const boxes = boxesOf(scene, result);
  for (const [path, frame] of result.frames) {
    scene.items.forEach((item, i) => {
      const box = boxes[i]!;
      const inside = box.x >= frame.x && box.x + box.width <= frame.x + frame.width && box.y >= frame.y && box.y + box.height <= frame.y + frame.height;
      const belongs = item.inside !== null && (item.inside.path === path || item.inside.path.startsWith(`${path}/`));
      expect([path, item.key, inside]).toEqual([path, item.key, belongs]);
    });
  }
}

describe("the layout in columns", () => {
  it("is sound for a tangle, for a long chain, and for nothing but leaves", () => {
    for (const trace of [tangle(400, 40), graphOf(Array.from({ length: 900 }, (_, i) => (i ? [i - 1] : []))), graphOf([[], [], []])]) {
      const scene = whole(trace);
      expectSound(scene, columns(scene));
    }
  });

  it("puts what an open group holds into its frame, and nothing else, whichever are open and though they lie in a ring", () => {
    const scopes = ["", "", "a/x", "a/x", "a/y", "b", "a/y", "b", "b"];
    const trace = graphOf([[], [], [0, 1], [2, 2], [3, 0], [4, 3], [5, 1, 0], [6, 5], [7, 2]], scopes);
    const { groups } = grouping(trace);
    for (let mask = 0; mask < 1 << groups.length; mask++) {
      const scene = whole(trace, groups.filter((_, i) => mask & (1 << i)).map((group) => group.path));
      const result = columns(scene);
      expectSound(scene, result);
      expectFramed(scene, result, scene.frames.map((group) => group.path));
    }
  });

  it("wraps what is long like the lines of a text", () => {
    const scene = whole(graphOf(Array.from({ length: 900 }, (_, i) => (i ? [i - 1] : []))));
    const { width, height } = columns(scene);
    expect(width / height).toBeGreaterThan(0.8);
    expect(width / height).toBeLessThan(4);
  });

  it("places 20,000 nodes in well under two seconds", () => {
    const scene = whole(tangle(20_000, 60));
    const start = process.cpuUsage();
    const { cards } = columns(scene);
    const { user, system } = process.cpuUsage(start); // processor time: others may use this machine
    expect(user + system).toBeLessThan(2_000_000); // µs
    expect(cards).toHaveLength(20_000);
    expect(cards.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
  });
});

describe("the ports of a card", () => {
  it("stand in order at its left side", () => {
    const item = whole(graphOf([[], [], [0, 1]])).items[2]!;
    expect([portHeight(item, 0), portHeight(item, 1)]).toEqual([item.height / 3, (2 * item.height) / 3]);
  });
});

describe("a scene", () => {
  const scopes = ["", "", "a/x", "a/x", "a/y", "a/y", "b", "b"];
  const trace = graphOf([[], [], [0, 1], [2, 2], [3, 0], [4, 3], [5, 1, 0], [6, 5]], scopes);
  const groups = grouping(trace);

  it("has groups by scope, each with the nodes within it", () => {
    expect(groups.groups.map((group) => [group.path, group.name, group.count, group.parent?.path])).toEqual([["a", "a", 4, undefined], ["a/x", "x", 2, "a"], ["a/y", "y", 2, "a"], ["b", "b", 2, undefined]]);
  });

  it("draws a closed group as one card, and its edges as one line to each neighbour", () => {
    const closed = sceneOf(trace, groups, new Set());
    expect(closed.items.map((item) => item.key)).toEqual(["n0", "n1", "g:a", "g:b"]);
    expect(closed.lines.map(({ from, to, count }) => [from, to, count])).toEqual([[0, 2, 2], [1, 2, 1], [2, 3, 2], [1, 3, 1], [0, 3, 1]]);
    const half = sceneOf(trace, groups, new Set(["a", "a/y"]));
    expect(half.items.map((item) => [item.key, item.inside?.path])).toEqual([["n0", undefined], ["n1", undefined], ["g:a/x", "a"], ["n4", "a/y"], ["n5", "a/y"], ["g:b", undefined]]);
    expect(half.frames.map((group) => group.path)).toEqual(["a", "a/y"]);
  });

  it("takes the leaves along that only a group uses, and no scope of nearly everything for a group", () => {
    const trace = graphOf([[], [], ...Array.from({ length: 40 }, (_, i) => [i < 20 ? 0 : 1, i + 1])], ["", "", ...Array.from({ length: 40 }, (_, i) => (i < 39 ? `net/${i < 20 ? "a" : "b"}` : ""))]);
    const { groups, of } = grouping(trace);
    expect(groups.map((group) => [group.path, group.name, group.count])).toEqual([["net/a", "net/a", 21], ["net/b", "net/b", 19]]);
    expect(of[0]?.path).toBe("net/a");
    expect(of[1]).toBeNull(); // is used without, too
  });

  it("stays closed within a closed group, whatever is open in it", () => {
    expect(sceneOf(trace, groups, new Set(["a/x"])).items.map((item) => item.key)).toEqual(["n0", "n1", "g:a", "g:b"]);
  });

  it("of every opening holds each node once", () => {
    const paths = groups.groups.map((group) => group.path);
    for (let mask = 0; mask < 1 << paths.length; mask++) {
      const scene = sceneOf(trace, groups, new Set(paths.filter((_, i) => mask & (1 << i))));
      const held = scene.items.reduce((sum, item, i) => sum + (item.group ? [...scene.itemOf].filter((of) => of === i).length : 1), 0);
      expect(held).toBe(trace.nodes.length);
      expect(new Set(scene.items.map((item) => item.key)).size).toBe(scene.items.length);
    }
  });

  it("names a leaf of many uses at each of them, in a large graph", () => {
    const trace = graphOf([[], [], ...Array.from({ length: 100 }, (_, i) => [i ? i + 1 : 1, 0])]);
    const scene = whole(trace);
    expect(scene.lines.some((line) => line.source === 0)).toBe(false);
    expect(scene.items.filter((item) => item.badges.some((badge) => badge.node === 0 && badge.port === 1))).toHaveLength(100);
  });

  it("of a long formula has a group a named line", () => {
    const inputs = [[], ...Array.from({ length: 600 }, (_, i) => [i, i])];
    const trace = graphOf(inputs);
    trace.nodes.forEach((node, i) => (node.label = i % 100 === 0 ? `h${i}` : null));
    expect(grouping(trace).groups.map((group) => [group.path, group.count])).toEqual([100, 200, 300, 400, 500, 600].map((i) => [`h${i}`, i === 100 ? 101 : 100]));
  });
});
