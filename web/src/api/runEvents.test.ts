// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { followRun, type Listener } from "./runEvents";

/** A stream as the browser makes one, whose events the test sends. */
class Stream extends EventTarget {
  static made: Stream[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    super();
    Stream.made.push(this);
  }

  close(): void {
    this.closed = true;
  }

  send(kind: string, id: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data), lastEventId: id }));
  }

  fail(readyState: number): void {
    this.readyState = readyState;
    this.onerror?.();
  }
}

const Source = Stream as unknown as typeof EventSource;
const progress = (first: number, losses: unknown[]) => ({ step: first + losses.length - 1, first, losses, gradient_norms: losses, learning_rates: losses, steps_per_second: null, seconds_left: null });

function heard(): { listener: Listener; said: string[] } {
  const said: string[] = [];
  const say = (kind: string) => (data: unknown) => void said.push(`${kind} ${JSON.stringify(data)}`);
  const listener: Listener = {
    progress: (data) => said.push(`progress ${data.first} ${data.losses.join(",")}`),
    observation: (data) => said.push(`observation ${data.step}`),
    validation: (data) => said.push(`validation ${data.step}`),
    status: (data) => said.push(`status ${data.status}`),
    deleted: () => said.push("deleted"),
    live: say("live"),
    failed: (problem) => said.push(`failed ${problem.status}`),
  };
  return { listener, said };
}

beforeEach(() => {
  Stream.made = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a run that is followed", () => {
  it("tells what the stream sends, numbers that JSON lacks among it", () => {
    const { listener, said } = heard();
    const { close } = followRun("r_1", null, listener, Source);
    const [stream] = Stream.made;
    expect(stream!.url).toBe("api/v1/runs/r_1/events");
    stream!.send("progress", "2.0.0.1", progress(1, [1.5, "NaN"]));
    stream!.send("observation", "2.2.0.1", { step: 2 });
    stream!.send("validation", "2.2.2.1", { step: 2, loss: 1 });
    stream!.send("status", "2.2.2.2", { status: "idle" });
    expect(said).toEqual(["progress 1 1.5,NaN", "observation 2", "validation 2", "status idle"]);
    expect(close()).toEqual({ id: "2.2.2.2", step: 2, observation: 2 });
    expect(stream!.closed).toBe(true);
  });

  it("goes on where an earlier stream stopped", () => {
    const { listener } = heard();
    followRun("r_1", { id: "2.2.2.2", step: 2, observation: 2 }, listener, Source);
    expect(Stream.made[0]!.url).toBe("api/v1/runs/r_1/events?last_event_id=2.2.2.2");
  });

  it("says when the stream is lost; the browser comes again by itself", () => {
    const { listener, said } = heard();
    const { close } = followRun("r_1", null, listener, Source);
    Stream.made[0]!.fail(0);
    expect([said, Stream.made.length]).toEqual([["live false"], 1]);
    close();
  });

  it("is read from time to time where there is no stream, from where the stream was, and the stream is tried again", async () => {
    const asked: string[] = [];
    const answers: [RegExp, unknown][] = [
      [/history/, { first: 3, loss: [0.5], gradient_norm: [1], lr: [0.1] }],
      [/observations/, { items: [{ step: 3 }], next: null }],
      [/runs/, { step: 3, status: "training", validation: [{ step: 2, loss: 1 }], steps_per_second: 4, seconds_left: 2 }],
    ];
    vi.stubGlobal("fetch", (address: string) => {
      asked.push(address);
      return Promise.resolve(new Response(JSON.stringify(answers.find(([pattern]) => pattern.test(address))![1])));
    });
    const { listener, said } = heard();
    const { close } = followRun("r_1", null, listener, Source);
    Stream.made[0]!.send("progress", "2.0.0.1", progress(1, [2, 1]));
    said.length = 0;
    Stream.made[0]!.fail(2);
    await vi.advanceTimersByTimeAsync(100);
    expect(said.slice(1)).toEqual(["progress 3 0.5", "observation 3", "validation 2", "status training", "live true"]);
    expect(asked.find((address) => address.includes("history"))).toContain("after=2&");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(Stream.made).toHaveLength(2);
    expect(Stream.made[1]!.url).toContain("last_event_id=2.0.0.1");
    close();
  });

  it("ends with its run", async () => {
    const { listener, said } = heard();
    followRun("r_1", null, listener, Source);
    Stream.made[0]!.send("deleted", "", {});
    expect([said, Stream.made[0]!.closed]).toEqual([["deleted"], true]);
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("{}", { status: 404 })));
    followRun("r_2", null, listener, null);
    await vi.advanceTimersByTimeAsync(10);
    expect(said).toEqual(["deleted", "deleted"]);
  });
});
