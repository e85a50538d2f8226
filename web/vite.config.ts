import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// Relative addresses throughout: the server may stand under any path prefix.
export default defineConfig({
  base: "./",
  plugins: [svelte()],
  build: { outDir: "../server/static", emptyOutDir: true, manifest: true, target: "es2022", chunkSizeWarningLimit: 2000, rolldownOptions: { input: ["index.html", "docs.html"] } },
  worker: { format: "es" },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
});
