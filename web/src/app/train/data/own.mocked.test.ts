// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as api from "../../../api/datasets";
import { Problem } from "../../../api/problem";
import type { ChosenTask, Dataset, DatasetChoice } from "../../../api/types";
import { MOST_BYTES } from "./choice";
import { OwnData, ownTasks, taskOf } from "./own.svelte";

vi.mock("../../../api/datasets");

const DATA = {
  id: "d_1", rows: 60, bytes: 900, kept: false, runs: 0, expires: 3600, suggestion: { kind: "text", text: "word", label: "sort" }, problems: [], problem_count: 0,
  columns: [{ name: "word", kind: "text", distinct: 60, missing: 0, sample: [] }, { name: "sort", kind: "category", distinct: 2, missing: 0, sample: [] }],
} as unknown as Dataset;
const TEXT: DatasetChoice = { id: "d_1", kind: "text", text: "word", label: "sort" };
const learnt = (name: string): ChosenTask => ({ task: { name, kind: "classification" }, problems: [], problem_count: 0, examples: [] }) as unknown as ChosenTask;
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  vi.mocked(api.datasets).mockResolvedValue([]);
  vi.mocked(api.bring).mockResolvedValue(DATA);
  vi.mocked(api.chosenTask).mockResolvedValue(learnt("own-data"));
});
afterEach(() => void vi.resetAllMocks());

describe("data that are brought", () => {
  it("are read, and what is suggested is looked at", async () => {
    const own = new OwnData();
    await own.bring("word,sort\n…");
    expect([own.data, own.choice, own.reading, own.problem]).toEqual([DATA, TEXT, false, null]);
    await settled();
    expect([own.learnt?.task.name, own.choosing]).toEqual(["own-data", false]);
    expect(taskOf({ task: "own-data", dataset: TEXT })?.name).toBe("own-data");
    expect(api.chosenTask).toHaveBeenCalledTimes(1); // the task is known from then on
  });

  it("that are too large or a spreadsheet are not sent", async () => {
    const own = new OwnData();
    await own.bring("x".repeat(MOST_BYTES + 1));
    expect(own.problem?.detail).toContain("10,485,761 bytes");
    await own.bring(new Blob(["PK"]), "table.xlsx");
    expect(own.problem?.title).toBe("own.spreadsheet");
    expect(api.bring).not.toHaveBeenCalled();
  });

  it("that the server does not get stay, and are sent again", async () => {
    const own = new OwnData();
    own.text = "word,sort";
    vi.mocked(api.bring).mockRejectedValueOnce(new Problem("offline", ""));
    await own.bring(own.text);
    expect([own.text, own.data, own.reading, own.problem?.offline]).toEqual(["word,sort", null, false, true]);
    await own.again();
    expect([own.data, own.reading, own.problem]).toEqual([DATA, false, null]);
  });

  it("are left for others, and what was pasted is there still", async () => {
    const own = new OwnData();
    own.text = "word,sort";
    await own.bring(own.text);
    own.leave();
    expect([own.text, own.data, own.choice, own.learnt]).toEqual(["word,sort", null, null, null]);
    expect(api.datasets).toHaveBeenCalled();
  });
});

describe("a choice", () => {
  it("that cannot be learnt from says why, and gives way to one that can", async () => {
    const own = new OwnData();
    await own.bring("…");
    await settled();
    vi.mocked(api.chosenTask).mockRejectedValueOnce(new Problem("refused", "text and label are the same column; choose two", 422));
    await own.choose({ ...TEXT, length: 3 });
    expect([own.learnt, own.refused?.status, own.choosing]).toEqual([null, 422, false]);
    await own.choose({ ...TEXT, length: 4 });
    expect([own.learnt?.task.name, own.refused]).toEqual(["own-data", null]);
  });

  it("that was changed meanwhile does not come late", async () => {
    const own = new OwnData();
    await own.bring("…");
    await settled();
    let late!: (answer: ChosenTask) => void;
    vi.mocked(api.chosenTask).mockReturnValueOnce(new Promise((resolve) => (late = resolve))).mockResolvedValueOnce(learnt("newer"));
    const first = own.choose({ ...TEXT, length: 5 });
    await own.choose({ ...TEXT, length: 6 });
    late(learnt("older"));
    await first;
    expect([own.learnt?.task.name, own.choosing]).toEqual(["newer", false]);
    expect(ownTasks.of({ ...TEXT, length: 6 })?.name).toBe("newer");
  });
});

describe("a data set", () => {
  it("is deleted once, also where it was gone already", async () => {
    const own = new OwnData();
    await own.bring("…");
    vi.mocked(api.deleteDataset).mockRejectedValueOnce(new Problem("gone", "", 404));
    expect(await own.remove("d_1")).toBe(true);
    expect(own.data).toBeNull();
    vi.mocked(api.deleteDataset).mockRejectedValueOnce(new Problem("offline", ""));
    expect(await own.remove("d_2")).toBe(false);
    expect(own.problem?.offline).toBe(true);
  });
});
