/** An error as the API tells it (RFC 9457), or the absence of an answer. */
export interface Saying {
  /** English. */
  detail: string;
  /** What `detail` says, of what (server/codes.py); the catalogue words it. */
  code?: string | null;
  params?: Readonly<Record<string, string | number | null>> | null;
}

export interface FieldError extends Saying {
  pointer?: string;
  /** Line and column in an expression, from 1. */
  line?: number | null;
  column?: number | null;
}

/** Seconds that an answer asks to wait; null where it does not say. A date is as good as a number. */
export function retryAfter(header: string | null, now = Date.now()): number | null {
  if (header === null || header.trim() === "") return null;
  const seconds = /^\s*\d+\s*$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly title: string,
    readonly detail: string,
    readonly status: number | null = null,
    readonly errors: FieldError[] = [],
    readonly requestId: string | null = null,
    /** Seconds after which the server is to be asked again. */
    readonly retryAfter: number | null = null,
    readonly code: string | null = null,
    readonly params: Saying["params"] = null,
  ) {
    super(detail || title);
  }

  /** The server did not answer at all. */
  get offline(): boolean {
    return this.status === null;
  }

  static async from(response: Response): Promise<Problem> {
    const body: unknown = await response.json().catch(() => null);
    if (typeof body !== "object" || body === null) return new Problem(response.statusText || `HTTP ${response.status}`, "", response.status, [], null, retryAfter(response.headers.get("Retry-After")));
    const { title, detail, errors, request_id: requestId, code, params } = body as Record<string, unknown>;
    return new Problem(
      typeof title === "string" ? title : `HTTP ${response.status}`,
      typeof detail === "string" ? detail : "",
      response.status,
      Array.isArray(errors) ? (errors as FieldError[]) : [],
      typeof requestId === "string" ? requestId : null,
      retryAfter(response.headers.get("Retry-After")),
      typeof code === "string" ? code : null,
      typeof params === "object" ? (params as Saying["params"]) : null,
    );
  }
}

/** Whatever was thrown, as a Problem; null for a request that was given up on purpose. */
export function asProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof DOMException && error.name === "AbortError") return null;
  if (error instanceof TypeError) return new Problem("offline", error.message);
  return new Problem("unexpected", error instanceof Error ? error.message : String(error), 0);
}
