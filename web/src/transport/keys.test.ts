// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { actionOf, wantsKey } from "./keys";

const press = (key: string, more = {}) => actionOf({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });

describe("keys", () => {
  it("are those of the transport and of a clicker", () => {
    expect([" ", "ArrowRight", "ArrowLeft", "PageDown", "PageUp", "Home", "End", "x"].map((key) => press(key))).toEqual([
      "toggle", "next", "previous", "next", "previous", "first", "last", null,
    ]);
  });

  it("step by event with shift, and leave the browser its own", () => {
    expect([press("ArrowRight", { shiftKey: true }), press("ArrowLeft", { shiftKey: true })]).toEqual(["next-event", "previous-event"]);
    expect([press("ArrowLeft", { altKey: true }), press("Home", { ctrlKey: true }), press(" ", { shiftKey: true })]).toEqual([null, null, null]);
  });

  it("belong to the field that has the focus, and the space bar to a button", () => {
    document.body.innerHTML = `<input><button><span></span></button><p></p>`;
    const [input, inButton, p] = ["input", "span", "p"].map((name) => document.querySelector(name));
    expect(wantsKey(input!, "next")).toBe(true);
    expect([wantsKey(inButton!, "toggle"), wantsKey(inButton!, "next")]).toEqual([true, false]);
    expect([wantsKey(p!, "toggle"), wantsKey(null, "toggle")]).toEqual([false, false]);
  });
});
