// @vitest-environment happy-dom
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { flushSync, mount, unmount } from "svelte";
import { afterEach, describe, expect, it } from "vitest";
import { Problem } from "../api/problem";
import ErrorView from "./ErrorView.svelte";
import { preferences } from "./preferences.svelte";
import Said from "./Said.svelte";
import "../graph/words";
import "./train/runWords";
import { catalogues, load } from "../i18n/catalogues";
import { headline, worded } from "./problems";

await Promise.all([load("en"), load("zh")]);

/** The server's codes with their parameters, as docs/api.md lists them (tests/server/test_codes.py holds it to the server). */
const DOCUMENTED = readFileSync(join(import.meta.dirname, "../../../docs/api.md"), "utf8").split("## Errors by `code`")[1]!;
const CODES = [...DOCUMENTED.matchAll(/^\| `(?!code`)([a-z-]+)` \| (.*?)\|/gm)].map(([, code, params]) => ({ code: code!, params: [...params!.matchAll(/`(\w+)`/g)].map((match) => match[1]!) }));

let shown: Record<string, unknown> | null = null;
function text(component: typeof Said | typeof ErrorView, props: Record<string, unknown>): HTMLElement {
  shown = mount(component as typeof Said, { target: document.body, props: props as never });
  flushSync();
  return document.body;
}

afterEach(() => {
  if (shown) void unmount(shown);
  shown = null;
  document.body.innerHTML = "";
  preferences.lang = "en";
});

describe("what the server says by code", () => {
  it("has words in both languages, of the parameters that there are, and without addresses of the API", () => {
    expect(CODES.length).toBeGreaterThan(90);
    for (const lang of ["en", "zh"] as const) {
      for (const { code, params } of CODES) {
        const message = catalogues[lang][`problem.${code.replaceAll("-", "_")}`];
        expect([lang, code, message !== undefined]).toEqual([lang, code, true]);
        const foreign = [...message!.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).filter((name) => ![...params, "meant"].includes(name));
        expect([lang, code, foreign]).toEqual([lang, code, []]);
        expect(message).not.toMatch(/GET|POST|PATCH|\/api|hidden_size/);
      }
    }
    const listed = new Set(CODES.map(({ code }) => `problem.${code.replaceAll("-", "_")}`));
    expect(Object.keys(catalogues.en).filter((key) => key.startsWith("problem.") && !listed.has(key))).toEqual(["problem.server_says", "problem.meant"]);
  });

  it("is said in the language that is chosen, with its numbers and the name that was meant", () => {
    const unknown = { detail: "the operation 'tahn' is not known; did you mean tanh? GET /api/v1/ops lists all", code: "operation-unknown", params: { name: "tahn", nearest: "tanh" } };
    expect(worded(unknown)).toMatch(/^There is no operation “tahn”\. Did you mean “tanh”\? Mind/);
    expect(worded({ ...unknown, params: { name: "nosuch", nearest: null } })).toMatch(/^There is no operation “nosuch”\. Mind/);
    preferences.lang = "zh";
    expect(worded(unknown)).toMatch(/^没有运算“tahn”。你是想写“tanh”吗？/);
    expect(worded({ detail: "", code: "input-large", params: { most: 10_000 } })).toBe("输入最多 10,000 个数，请减少。");
    expect(worded({ detail: "no code" })).toBeNull();
    expect(worded({ detail: "of a newer server", code: "not-known-here", params: {} })).toBeNull();
  });

  it("is the server's English where there are no words for it, and said to be", () => {
    preferences.lang = "zh";
    const page = text(Said, { of: { detail: "the loss is a leaf" } });
    expect(page.textContent).toBe("服务器的英文说明： the loss is a leaf");
    expect(page.querySelector("[lang=en]")!.textContent).toBe("the loss is a leaf");
  });

  it("stands in a page's error, its parts each in words", () => {
    preferences.lang = "zh";
    const parts = [{ pointer: "/program/hidden_size", detail: "the number is out of range", code: "number-least", params: { bound: 1 } }, { pointer: "/program/lr", detail: "given a text" }];
    const page = text(ErrorView, { problem: new Problem("The request is not as expected", "2 things", 422, parts, null, null, "several", { count: 2 }) });
    expect(page.querySelector("p")!.textContent).toBe("有 2 处不符合要求。");
    expect([...page.querySelectorAll("li")].map((li) => li.textContent)).toEqual(["/program/hidden_size 这个数不能小于 1。", "/program/lr 服务器的英文说明： given a text"]);
  });

  it("is what stands above it: too much of one's own is no overload of the server", () => {
    const problem = (status: number, code: string | null) => new Problem("", "", status, [], null, null, code, {});
    expect(headline(problem(429, "runs-training"))).toBe("The server did not accept this");
    expect(headline(problem(404, "no-trace"))).toBe("Not found");
    expect(headline(problem(429, "rate"))).toBe("The server has too much to do");
    expect(headline(problem(503, null))).toBe("The server has too much to do");
    expect(worded(problem(503, null))).toMatch(/^It was asked several times/);
    expect(headline(problem(401, "token"))).toBe("This server wants a token");
    expect(worded(new Problem("offline", "fetch failed"))).toMatch(/^It may have been stopped/);
  });
});
