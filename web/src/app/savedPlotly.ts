/** Plotly in a film saved as a file: its source comes with the page as data, and runs when the first figure is shown. */
interface Plotly {
  react(...given: unknown[]): Promise<unknown>;
  purge(element: HTMLElement): void;
  toImage(...given: unknown[]): Promise<string>;
}

function plotly(): Plotly {
  const page = window as unknown as { Plotly?: Plotly };
  if (!page.Plotly) {
    const script = document.createElement("script"); // the page's policy names it by its hash
    script.textContent = document.getElementById("retrograd-plotly")?.textContent ?? "";
    document.head.append(script);
    script.remove();
  }
  if (!page.Plotly) throw new Error("the file has lost its Plotly, which draws figures; export the film again");
  return page.Plotly;
}

export default {
  react: async (...given: unknown[]) => plotly().react(...given),
  purge: (element: HTMLElement) => plotly().purge(element),
  toImage: async (...given: unknown[]) => plotly().toImage(...given),
};
