// The page of the peer: a drawing by Cytoscape.js with given places, and one node marked with its edges. benchmarks/cytoscape.py calls this.
const frame = () => new Promise(requestAnimationFrame);

/** Draws what `address` holds; gives the ms from asking for it until the second frame after it was first drawn. */
async function draw(address, { width, height }, options) {
  const container = document.getElementById("graph");
  [container.style.width, container.style.height] = [`${width}px`, `${height}px`];
  const start = performance.now();
  const elements = await (await fetch(address)).json();
  const card = elements.nodes[0].data; // of scalars, all cards are of one size
  const style = [
    {
      selector: "node",
      style: { shape: "round-rectangle", width: card.width, height: card.height, label: "data(name)", "font-size": 13, "min-zoomed-font-size": 13 * 0.26, "text-valign": "center", "background-color": "#e4e9f0", "border-width": 1, "border-color": "#b8c0cc" },
    },
    { selector: "edge", style: { width: 2, "line-color": "#9aa4b2" } },
    { selector: "node.marked", style: { "background-color": "#8a3f7d" } },
    { selector: "edge.marked", style: { width: 4, "line-color": "#8a3f7d" } },
  ];
  const cy = cytoscape({ container, elements, style, layout: { name: "preset" }, minZoom: 1e-3, maxZoom: 4, ...options });
  window.renders = 0;
  cy.on("render", () => window.renders++);
  while (window.renders === 0) await frame();
  await frame();
  await frame();
  window.cy = cy;
  return performance.now() - start;
}

let marked = null;

/** Marks the i-th node and its edges, and no others. */
function mark(i) {
  const nodes = window.cy.nodes();
  const node = nodes[i % nodes.length];
  window.cy.batch(() => {
    marked?.removeClass("marked");
    marked = node.union(node.connectedEdges()).addClass("marked");
  });
}

Object.assign(window, { draw, mark });
