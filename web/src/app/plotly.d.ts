/** The part of Plotly's interface that the page uses. */
declare module "plotly.js-cartesian-dist-min" {
  interface Plot extends HTMLElement {
    on(event: "plotly_click", handler: (event: { points: { x: unknown; y: unknown }[] }) => void): void;
  }
  const plotly: {
    react(element: HTMLElement, data: object[], layout: object, config?: object): Promise<Plot>;
    purge(element: HTMLElement): void;
  };
  export default plotly;
}
