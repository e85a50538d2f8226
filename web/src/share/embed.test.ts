// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { embeddingQuery, PARTS, readEmbedding, snippet } from "./embed";
import { fileName } from "./files";
import { isLocal } from "./link";

describe("a frame", () => {
  it("says in its query what it leaves out, and reads that again", () => {
    for (const hidden of [[], ["panel"], ["transport", "panel"], PARTS] as const) {
      expect(readEmbedding(embeddingQuery(hidden, "dark"))).toEqual({ on: true, hidden: new Set(hidden), theme: "dark" });
    }
  });

  it("passes over what is not known, and is none without its mark", () => {
    expect(readEmbedding("?embed=1&hide=panel,__proto__,stage,&theme=pink")).toEqual({ on: true, hidden: new Set(["panel"]), theme: null });
    expect(readEmbedding("?hide=panel&theme=dark")).toEqual({ on: false, hidden: new Set(), theme: null });
    expect(readEmbedding("")).toEqual({ on: false, hidden: new Set(), theme: null });
  });

  it("is code in which an address and a title are data", () => {
    const code = snippet('http://x/?a=1&b="><script>alert(1)</script>', '"><img src=x onerror=alert(1)>', []);
    expect(code.match(/[<>]/g)).toEqual(["<", ">", "<", ">"]);
    expect(code).toContain("&lt;script&gt;");
    expect(code.startsWith('<iframe src="http://x/?a=1&amp;b=&quot;')).toBe(true);
  });

  it("is lower without the parts that lie under the stage", () => {
    const height = (hidden: readonly (typeof PARTS)[number][]): number => Number(/height="(\d+)"/.exec(snippet("", "", hidden))![1]);
    expect(height([])).toBeGreaterThan(height(["tray"]));
    expect(height(["tray"])).toBeGreaterThan(height(["tray", "transport"]));
  });
});

describe("files and addresses", () => {
  it("have names of plain letters, whatever made them", () => {
    expect(fileName(["surnames", "gru", "step-3"], "svg")).toBe("retrograd-surnames-gru-step-3.svg");
    expect(fileName(["../../etc/passwd\u0000", "名字", "a b"], "png")).toBe("retrograd-etc-passwd-a-b.png");
  });

  it("tell this machine from others", () => {
    for (const host of ["localhost", "127.0.0.1", "127.8.0.1", "[::1]", "a.localhost"]) expect(isLocal(host)).toBe(true);
    for (const host of ["example.org", "192.168.1.4", "127.0.0.1.example.org", "localhost.example"]) expect(isLocal(host)).toBe(false);
  });
});
