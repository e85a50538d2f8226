import { describe, expect, it } from "vitest";
import { parseRoute } from "../routing";
import { beginning, trainView, VIEWS } from "./views";

describe("the views of the Train page", () => {
  it("stand in the address", () => {
    const views = ["#/train", "#/train?run=r_1", "#/train?runs=r_1,r_2", "#/train?sweep=s_1", "#/train?landscape=r_1"].map((hash) => trainView(parseRoute(hash)));
    expect(views).toEqual(["run", "run", "compare", "sweep", "landscape"]);
    expect(parseRoute("#/train?runs=r_1,r_2").runs).toEqual(["r_1", "r_2"]);
  });

  it("begin with an address that leads to them", () => {
    for (const view of VIEWS) expect(trainView(parseRoute(beginning(view)))).toBe(view);
    for (const view of VIEWS) expect(trainView(parseRoute(beginning(view, "r_1")))).toBe(view);
    expect(parseRoute(beginning("sweep", "r_1"))).toMatchObject({ sweep: "new", run: "r_1" });
    expect(parseRoute(beginning("landscape", "r_1")).landscape).toEqual(["r_1"]);
  });
});
