import { expect, it } from "vitest";
import { Recent } from "./recent";

it("keeps what was used last, however much comes", () => {
  const recent = new Recent<number, string>(3);
  for (let i = 0; i < 3; i++) recent.set(i, `${i}`);
  expect(recent.get(0)).toBe("0"); // used again: 1 is now the oldest
  recent.set(3, "3");
  expect([0, 1, 2, 3].map((key) => recent.get(key))).toEqual(["0", undefined, "2", "3"]);
  for (let i = 0; i < 10_000; i++) recent.set(i, `${i}`);
  expect(recent.size).toBe(3);
  expect(recent.get(9_999)).toBe("9999");
});

it("replaces what has the same key, and forgets all", () => {
  const recent = new Recent<string, number>(2);
  recent.set("a", 1);
  recent.set("b", 2);
  recent.set("a", 3);
  recent.set("c", 4);
  expect([recent.get("a"), recent.get("b"), recent.get("c")]).toEqual([3, undefined, 4]);
  recent.clear();
  expect([recent.size, recent.get("a")]).toEqual([0, undefined]);
});
