/** The part of Plotly's interface that the page uses. */
declare module "plotly.js-cartesian-dist-min" {
  interface Plot extends HTMLElement {
    on(event: "plotly_click", handler: (event: { points: { x: unknown; y: unknown }[] }) => void): void;
  }
  const plotly: {
    react(element: HTMLElement, data: object[], layout: object, config?: object): Promise<Plot>;
    purge(element: HTMLElement): void;
    /** A picture as a data: address. */
    toImage(figure: { data: object[]; layout: object }, options: { format: "png" | "svg"; width: number; height: number; scale?: number }): Promise<string>;
  };
  export default plotly;
}
