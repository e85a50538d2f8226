// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { lane } from "./lanes";
import { Pointing } from "./pointing.svelte";

const pointed = { name: "", subject: { node: 0, index: [] } };
let pointing: Pointing;
let [one, other, elsewhere] = [] as unknown as [HTMLElement, HTMLElement, HTMLElement];

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = "<button></button><button></button><p></p>";
  [one, other, elsewhere] = [...document.body.children] as [HTMLElement, HTMLElement, HTMLElement];
  for (const element of [one, other]) lane(() => pointed)(element);
  pointing = new Pointing();
});
afterEach(() => vi.useRealTimers());

/** An event as the window has it from an element. */
const from = (target: HTMLElement, type: string, buttons = 0): PointerEvent => ({ type, target, buttons, pointerType: "mouse", clientX: 0, clientY: 0, isPrimary: true, pointerId: 1, preventDefault() {}, stopPropagation() {} }) as unknown as PointerEvent;

const rests = (target: HTMLElement): void => {
  pointing.move(from(target, "pointermove"));
  vi.advanceTimersByTime(400);
};
const clicks = (target: HTMLElement): void => {
  pointing.down(from(target, "pointerdown", 1));
  pointing.move(from(target, "pointermove", 1)); // a hand is never quite still
  pointing.up(from(target, "pointerup"));
  pointing.click(from(target, "click"));
};

describe("the loupe over a lane", () => {
  it("waits for the pointer on its card before the lane is clicked", () => {
    rests(one);
    pointing.card = elsewhere;
    pointing.move(from(elsewhere, "pointermove"));
    vi.advanceTimersByTime(1000);
    expect(pointing.held?.element).toBe(one);
  });

  it("lets the pointer through once the lane is clicked, and goes as the pointer leaves", () => {
    rests(one);
    clicks(one);
    pointing.move(from(one, "pointermove"));
    vi.advanceTimersByTime(400);
    expect(pointing.held).toMatchObject({ element: one, chosen: true });
    pointing.move(from(elsewhere, "pointermove"));
    expect(pointing.held).toBeNull();
  });

  it("comes to the next lane only where the pointer rests there, as at first", () => {
    rests(one);
    clicks(one);
    rests(one);
    pointing.move(from(other, "pointermove"));
    expect(pointing.held).toBeNull();
    vi.advanceTimersByTime(400);
    expect(pointing.held).toMatchObject({ element: other, chosen: false });
  });

  it("goes at once where anything else is pressed, and on Escape", () => {
    rests(one);
    pointing.down(from(elsewhere, "pointerdown", 1));
    expect(pointing.held).toBeNull();
    rests(other);
    pointing.key({ key: "Escape", preventDefault() {}, stopPropagation() {} } as unknown as KeyboardEvent);
    expect(pointing.held).toBeNull();
  });
});
