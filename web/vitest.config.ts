import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Node by default; a test of a component begins with `// @vitest-environment happy-dom`.
const MOCKED = "src/**/*.mocked.test.ts";

export default defineConfig({
  plugins: [svelte()],
  resolve: { conditions: ["browser"] }, // Svelte's client build: components are mounted, never rendered to strings
  test: {
    environment: "node",
    setupFiles: ["src/testing.ts"],
    projects: [
      { extends: true, test: { name: "shared", include: ["src/**/*.test.ts"], exclude: [MOCKED], isolate: false } }, // modules are read once a process, not once a file: less than half the work
      { extends: true, test: { name: "mocked", include: [MOCKED] } }, // modules in place of others are nobody else's
    ],
    testTimeout: 60_000, // a busy machine is no failure
    hookTimeout: 60_000,
  },
});
