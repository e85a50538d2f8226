import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// The page as one script and one style sheet, fonts and worker within: server/export/html.py puts them into a file with a film.
export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [svelte()],
  resolve: {
    alias: {
      "plotly.js-cartesian-dist-min": here("./src/app/noPlotly.ts"),
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
