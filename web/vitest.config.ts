import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Node by default; a test of a component begins with `// @vitest-environment happy-dom`.
export default defineConfig({
  plugins: [svelte()],
  resolve: { conditions: ["browser"] }, // Svelte's client build: components are mounted, never rendered to strings
  test: {
    environment: "node",
    include: ["src/**/*.test.ts"],
    setupFiles: ["src/testing.ts"],
    isolate: false, // modules are read once a process, not once a file: less than half the work
    testTimeout: 60_000, // a busy machine is no failure
    hookTimeout: 60_000,
  },
});
