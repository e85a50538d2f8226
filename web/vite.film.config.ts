import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Plotly and ELK stay files of their own: a film without figures, or without a graph, is saved without them. */
const BESIDE = { "plotly.js": "plotly.js-cartesian-dist-min/plotly-cartesian.min.js", "elk.js": "elkjs/lib/elk-worker.min.js" };
const beside: Plugin = {
  name: "beside",
  generateBundle() {
    for (const [fileName, path] of Object.entries(BESIDE)) this.emitFile({ type: "asset", fileName, source: readFileSync(here(`./node_modules/${path}`), "utf8") });
  },
};

/** What a film without a server cannot show. */
const PAGES = /^.*\/(ComparePage|TrainPage|WorksheetPage)\.svelte$/;

// The page as one script and one style sheet, fonts within: server/export/html.py puts them into a file with a film.
export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [svelte(), beside],
  resolve: {
    alias: [
      { find: "plotly.js-cartesian-dist-min", replacement: here("./src/app/savedPlotly.ts") },
      { find: "elkjs/lib/elk-worker.min.js?url", replacement: here("./src/graph/elkWorkerInline.ts") },
      { find: /^\.\/fonts$/, replacement: here("./src/share/picture/savedFonts.ts") },
      { find: PAGES, replacement: here("./src/app/pages/MissingPage.svelte") },
    ],
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
