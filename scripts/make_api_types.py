"""Writes web/src/api/openapi.ts, the page's types of the API, from the API's own description. A test fails when the file is another.

python scripts/make_api_types.py
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import hatch_build  # noqa: E402
from server.app import create_app  # noqa: E402
from server.settings import Settings  # noqa: E402

TYPES = ROOT / "web" / "src" / "api" / "openapi.ts"


def generated() -> str:
    """The types, as openapi-typescript writes them."""
    with tempfile.TemporaryDirectory() as folder:
        description, types = Path(folder) / "openapi.json", Path(folder) / "openapi.ts"
        description.write_text(json.dumps(create_app(Settings(data=Path(folder))).openapi()), encoding="utf-8")
        hatch_build.install()
        hatch_build.run(["node_modules/openapi-typescript/bin/cli.js", str(description), "-o", str(types)], "openapi-typescript")
        return types.read_text(encoding="utf-8")


if __name__ == "__main__":
    TYPES.write_text(generated(), encoding="utf-8")
    print(f"{TYPES.relative_to(ROOT)}: {TYPES.stat().st_size:,} bytes")
