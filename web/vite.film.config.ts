import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Plotly stays a file of its own: a film without figures is saved without it. */
const plotly: Plugin = {
  name: "plotly-beside",
  generateBundle() {
    const source = readFileSync(here("./node_modules/plotly.js-cartesian-dist-min/plotly-cartesian.min.js"), "utf8");
    this.emitFile({ type: "asset", fileName: "plotly.js", source });
  },
};

// The page as one script and one style sheet, fonts and worker within: server/export/html.py puts them into a file with a film.
export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [svelte(), plotly],
  resolve: {
    alias: {
      "plotly.js-cartesian-dist-min": here("./src/app/savedPlotly.ts"),
      "elkjs/lib/elk-worker.min.js?url": here("./src/graph/elkWorkerInline.ts"),
    },
  },
  build: {
    outDir: "../server/static/.film",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 4000,
    assetsInlineLimit: () => true,
    cssCodeSplit: false,
    modulePreload: false,
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: "src/main.ts",
      output: { codeSplitting: false, entryFileNames: "film.js", assetFileNames: "film[extname]" },
    },
  },
});
