// npm run bench: the benchmarks of benchmarks/web.py, by the Python of this repository's environment. What follows `--` goes to it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const python = [`${root}.venv/bin/python`, `${root}.venv/Scripts/python.exe`].find(existsSync) ?? "python3";
const { status } = spawnSync(python, ["-m", "benchmarks.web", ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
