/** Places cards and edges by ELK's layered layout, in a worker; a new request replaces the one that is running. */
import ELK, { type ElkExtendedEdge, type ElkNode } from "elkjs/lib/elk-api.js";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import type { Card, Edge } from "./graph";
import type { Point } from "./polyline";

export interface Placed {
  width: number;
  height: number;
  /** Upper left corner of each card, by node. */
  cards: Map<number, Point>;
  /** Start, bend points and end of each edge, by its id. */
  edges: Map<string, Point[]>;
}

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.padding": "[top=24,left=24,bottom=24,right=24]",
  "elk.spacing.nodeNode": "28",
  "elk.spacing.edgeNode": "24",
  "elk.spacing.edgeEdge": "24",
  "elk.layered.spacing.nodeNodeBetweenLayers": "104",
  "elk.layered.spacing.edgeNodeBetweenLayers": "32",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "24",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

/** The graph in ELK's terms: one port an input, in order, on the left; one output on the right. */
export function elkGraph(cards: readonly Card[], edges: readonly Edge[]): ElkNode {
  return {
    id: "root",
    layoutOptions: OPTIONS,
    children: cards.map(({ node, width, height }) => ({
      id: String(node.id),
      width,
      height,
      layoutOptions: { "elk.portConstraints": "FIXED_ORDER" },
      ports: [
        { id: `${node.id}.out`, layoutOptions: { "elk.port.side": "EAST", "elk.port.index": "0" } },
        // ELK counts ports clockwise: on the left side from the bottom up
        ...node.inputs.map((_, port) => ({
          id: `${node.id}.in${port}`,
          layoutOptions: { "elk.port.side": "WEST", "elk.port.index": String(node.inputs.length - port) },
        })),
      ],
    })),
    edges: edges.map(({ id, from, to, port }) => ({ id, sources: [`${from}.out`], targets: [`${to}.in${port}`] })),
  };
}

export function placed(result: ElkNode): Placed {
  const cards = new Map((result.children ?? []).map((child) => [Number(child.id), { x: child.x ?? 0, y: child.y ?? 0 }]));
  const edges = new Map(
    (result.edges ?? []).map((edge: ElkExtendedEdge) => {
      const section = edge.sections?.[0];
      return [edge.id, section ? [section.startPoint, ...(section.bendPoints ?? []), section.endPoint] : []] as const;
    }),
  );
  return { width: result.width ?? 0, height: result.height ?? 0, cards, edges };
}

export class Layouter {
  #elk: InstanceType<typeof ELK> | null = null;
  #request = 0;
  #running = false;

  /** The placed graph; undefined when a newer request has replaced this one. */
  async place(cards: readonly Card[], edges: readonly Edge[]): Promise<Placed | undefined> {
    const request = ++this.#request;
    if (this.#running) this.stop();
    this.#elk ??= new ELK({ workerUrl });
    this.#running = true;
    const result = await this.#elk.layout(elkGraph(cards, edges));
    if (request !== this.#request) return undefined;
    this.#running = false;
    return placed(result);
  }

  /** Ends the worker, and with it whatever it computes. */
  stop(): void {
    this.#elk?.terminateWorker();
    this.#elk = null;
    this.#running = false;
  }
}
