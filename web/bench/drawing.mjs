// node bench/drawing.mjs, in web/: reads a trace and prints the drawing that the page makes of it, every group open, as elements of
// Cytoscape.js: cards with their places, and the lines between them.
import { json } from "node:stream/consumers";
import { createServer } from "vite";

const server = await createServer({ configFile: false, server: { middlewareMode: true, watch: null }, appType: "custom", optimizeDeps: { noDiscovery: true }, logLevel: "error" });
const load = (name) => server.ssrLoadModule(`/src/${name}.ts`);
const [{ Trace }, { grouping }, { sceneOf }, { columns }, { opSign }] = await Promise.all(["model/trace", "graph/groups", "graph/scene", "graph/columns", "graph/graph"].map(load));
const trace = Trace.from(await json(process.stdin));
const groups = grouping(trace);
const scene = sceneOf(trace, groups, new Set(groups.groups.map((group) => group.path)));
const { cards } = columns(scene);
const nodes = scene.items.map(({ card, width, height }, i) => {
  const { label, op, path } = card.node;
  return { data: { id: String(i), name: label ?? opSign(op ?? path), width, height }, position: { x: cards[i].x + width / 2, y: cards[i].y + height / 2 } };
});
const edges = scene.lines.map(({ id, from, to }) => ({ data: { id, source: String(from), target: String(to) } }));
await server.close();
process.stdout.write(JSON.stringify({ nodes, edges }));
