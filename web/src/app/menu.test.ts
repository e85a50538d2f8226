// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { menu } from "./menu";

const done: string[] = [];
let list: HTMLElement;

beforeEach(() => {
  done.length = 0;
  document.body.innerHTML = `<div role="menu"><a role="menuitem" id="file"><b>File</b></a><span role="menuitem" aria-disabled="true" id="none">None</span><button role="menuitemradio" id="theme">Dark</button><div role="group"><button role="menuitemradio" id="setting">Best</button></div><p id="words">Words</p></div>`;
  list = document.querySelector<HTMLElement>("[role=menu]")!;
  list.hidePopover = vi.fn(() => void done.push("closed"));
  menu(list);
  for (const item of list.querySelectorAll("[id]")) item.addEventListener("click", () => done.push(item.id));
});

const click = (selector: string): void => list.querySelector<HTMLElement>(selector)!.click();

describe("a menu", () => {
  it("closes after a choice, before what was chosen is done", () => {
    click("#file b");
    click("#theme");
    expect(done).toEqual(["closed", "file", "closed", "theme"]);
  });

  it("stays for what is no choice: words, what cannot be chosen, a setting of its items", () => {
    for (const id of ["words", "none", "setting"]) click(`#${id}`);
    expect(done).toEqual(["words", "none", "setting"]);
  });
});
