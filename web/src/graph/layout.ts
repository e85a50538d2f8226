/** Places a scene by ELK's layered layout, in a worker; a new request replaces the one that is running. */
import ELK, { type ElkExtendedEdge, type ElkNode } from "elkjs/lib/elk-api.js";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import { columns } from "./columns";
import type { Group } from "./groups";
import type { Point } from "./polyline";
import { apart, FRAME, type Scene } from "./scene";
import { shelve } from "./shelf";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Placed {
  width: number;
  height: number;
  /** Upper left corner of each item. */
  cards: readonly Point[];
  /** Start, bend points and end of each line. */
  lines: readonly Point[][];
  /** Around what open groups hold, by their path; without those of a layout that scatters them. */
  frames: ReadonlyMap<string, Box>;
  /** Lines are curves from start to end, rather than bent at right angles. */
  curved: boolean;
}

/** Up to so many cards ELK is quick; and it can put frames around groups. It does not wrap what is long: all else stands in columns. */
const ELK_MOST = { plain: 60, grouped: 150 } as const;
/** How long ELK is waited for, in ms: graphs of one size differ much. Then the cards stand in columns. */
const PATIENCE = { few: 8000, many: 1500 } as const;
const FEW = 30; // cards
const CAREFUL_MOST = 60; // up to here the nicest placement is quick

function options(count: number): Record<string, string> {
  const careful = count <= CAREFUL_MOST;
  return {
    "elk.algorithm": "layered",
    "elk.direction": "RIGHT",
    "elk.edgeRouting": "ORTHOGONAL",
    "elk.hierarchyHandling": "INCLUDE_CHILDREN",
    "elk.json.shapeCoords": "ROOT",
    "elk.json.edgeCoords": "ROOT",
    "elk.padding": "[top=24,left=24,bottom=24,right=24]",
    "elk.spacing.nodeNode": "28",
    "elk.spacing.edgeNode": "24",
    "elk.spacing.edgeEdge": careful ? "24" : "12",
    "elk.layered.spacing.nodeNodeBetweenLayers": careful ? "104" : "72",
    "elk.layered.spacing.edgeNodeBetweenLayers": careful ? "32" : "24",
    "elk.layered.spacing.edgeEdgeBetweenLayers": careful ? "24" : "12",
    "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
    "elk.layered.nodePlacement.strategy": careful ? "NETWORK_SIMPLEX" : "BRANDES_KOEPF",
    "elk.layered.thoroughness": careful ? "7" : "1",
  };
}

/** The scene in ELK's terms: one port an input, in order, on the left; one output on the right; a node around those of an open group. */
export function elkGraph(scene: Scene): ElkNode {
  const root: ElkNode = { id: "root", layoutOptions: options(scene.items.length), children: [], edges: [] };
  const frames = new Map<Group, ElkNode>();
  for (const group of scene.frames) {
    const padding = `[top=${FRAME.head + FRAME.pad},left=${FRAME.pad},bottom=${FRAME.pad},right=${FRAME.pad}]`;
    const frame: ElkNode = { id: `f:${group.path}`, layoutOptions: { "elk.padding": padding }, children: [] };
    frames.set(group, frame);
    ((group.parent && frames.get(group.parent)) || root).children!.push(frame);
  }
  const shelved = apart(scene);
  scene.items.forEach(({ width, height, ports, group, inside }, i) => {
    if (shelved.has(i)) return;
    const node: ElkNode = { id: String(i), width, height };
    if (!group) {
      node.layoutOptions = { "elk.portConstraints": "FIXED_ORDER" };
      node.ports = [{ id: `${i}.out`, layoutOptions: { "elk.port.side": "EAST", "elk.port.index": "0" } }];
      // ELK counts ports clockwise: on the left side from the bottom up
      for (let port = 0; port < ports; port++) node.ports.push({ id: `${i}.in${port}`, layoutOptions: { "elk.port.side": "WEST", "elk.port.index": String(ports - port) } });
    }
    ((inside && frames.get(inside)) || root).children!.push(node);
  });
  root.edges = scene.lines.map(({ from, to, port }, l) => ({
    id: String(l),
    sources: [scene.items[from]!.group ? String(from) : `${from}.out`],
    targets: [scene.items[to]!.group ? String(to) : `${to}.in${port}`],
  }));
  return root;
}

export function placed(scene: Scene, result: ElkNode): Placed {
  const cards = new Array<Point>(scene.items.length);
  const frames = new Map<string, Box>();
  const visit = (node: ElkNode): void => {
    for (const child of node.children ?? []) {
      const { x = 0, y = 0, width = 0, height = 0 } = child;
      if (child.id.startsWith("f:")) frames.set(child.id.slice(2), { x, y, width, height });
      else cards[Number(child.id)] = { x, y };
      visit(child);
    }
  };
  visit(result);
  const lines = scene.lines.map((): Point[] => []);
  for (const edge of (result.edges ?? []) as ElkExtendedEdge[]) {
    const section = edge.sections?.[0];
    if (section) lines[Number(edge.id)] = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
  }
  return shelve(scene, { width: result.width ?? 0, height: result.height ?? 0, cards, lines, frames, curved: false });
}

export class Layouter {
  #elk: InstanceType<typeof ELK> | null = null;
  #request = 0;
  #running = false;

  /** The placed scene; undefined when a newer request has replaced this one. */
  async place(scene: Scene): Promise<Placed | undefined> {
    const request = ++this.#request;
    if (this.#running) this.stop();
    const grouped = scene.frames.length > 0 || scene.items.some((item) => item.group);
    if (scene.items.length > (grouped ? ELK_MOST.grouped : ELK_MOST.plain)) return columns(scene);
    this.#elk ??= new ELK({ workerUrl });
    this.#running = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), scene.items.length > FEW ? PATIENCE.many : PATIENCE.few)));
    const result = await Promise.race([this.#elk.layout(elkGraph(scene)), late]);
    clearTimeout(timer);
    if (request !== this.#request) return undefined;
    this.#running = false;
    if (result) return placed(scene, result);
    this.stop();
    return columns(scene);
  }

  /** Ends the worker, and with it whatever it computes. */
  stop(): void {
    this.#elk?.terminateWorker();
    this.#elk = null;
    this.#running = false;
  }
}
