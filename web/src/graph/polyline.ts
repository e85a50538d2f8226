/** Orthogonal polylines: ELK's bend points as paths, and a rail beside them. */
export interface Point {
  x: number;
  y: number;
}

function horizontal(a: Point, b: Point): boolean {
  return Math.abs(a.y - b.y) < Math.abs(a.x - b.x);
}

/** Drops points that do not bend the line. */
export function simplify(points: readonly Point[]): Point[] {
  return points.filter((point, i) => {
    const before = points[i - 1];
    const after = points[i + 1];
    if (!before || !after) return true;
    const straight = (before.x === point.x && point.x === after.x) || (before.y === point.y && point.y === after.y);
    return !straight;
  });
}

/** The line moved by `distance` to the right of its direction, corners kept square. */
export function beside(points: readonly Point[], distance: number): Point[] {
  const line = simplify(points);
  const shift = line.slice(1).map((end, i) => {
    const start = line[i]!;
    return horizontal(start, end) ? { x: 0, y: Math.sign(end.x - start.x) * distance } : { x: -Math.sign(end.y - start.y) * distance, y: 0 };
  });
  return line.map((point, i) => {
    const before = shift[i - 1];
    const after = shift[i];
    return { x: point.x + (before?.x || after?.x || 0), y: point.y + (before?.y || after?.y || 0) };
  });
}

/** An SVG path with corners rounded by `radius`, ended `short` before its last point to leave room for an arrow head. */
export function path(points: readonly Point[], radius = 6, short = 0): string {
  const line = simplify(points);
  if (line.length < 2) return "";
  const cut = [...line];
  const end = cut.at(-1)!;
  cut[cut.length - 1] = toward(end, cut.at(-2)!, short);
  let text = `M${round(cut[0]!.x)} ${round(cut[0]!.y)}`;
  for (let i = 1; i < cut.length - 1; i++) {
    const corner = cut[i]!;
    const r = Math.min(radius, length(cut[i - 1]!, corner) / 2, length(corner, cut[i + 1]!) / 2);
    const enter = toward(corner, cut[i - 1]!, r);
    const leave = toward(corner, cut[i + 1]!, r);
    text += `L${round(enter.x)} ${round(enter.y)}Q${round(corner.x)} ${round(corner.y)} ${round(leave.x)} ${round(leave.y)}`;
  }
  const last = cut.at(-1)!;
  return `${text}L${round(last.x)} ${round(last.y)}`;
}

/** An SVG path from the first point to the last in one bend, level at both, ended `short` before the last. */
export function curve(points: readonly Point[], short = 0): string {
  const [start, end] = [points[0]!, points.at(-1)!];
  const way = Math.sign(end.x - start.x) || 1;
  const bend = way * Math.max(40, Math.abs(end.x - start.x) / 2);
  return `M${round(start.x)} ${round(start.y)}C${round(start.x + bend)} ${round(start.y)} ${round(end.x - bend)} ${round(end.y)} ${round(end.x - way * short)} ${round(end.y)}`;
}

/** A triangle of length `size` whose tip is the last point. */
export function arrowHead(points: readonly Point[], size: number): string {
  const line = simplify(points);
  const tip = line.at(-1)!;
  const base = toward(tip, line.at(-2) ?? tip, size);
  const across = { x: ((tip.y - base.y) / size) * size * 0.62, y: ((tip.x - base.x) / size) * size * 0.62 };
  return `M${round(base.x + across.x)} ${round(base.y - across.y)}L${round(tip.x)} ${round(tip.y)}L${round(base.x - across.x)} ${round(base.y + across.y)}Z`;
}

/** The middle of the longest level stretch, where a label reads best. */
export function labelPoint(points: readonly Point[]): Point {
  const line = simplify(points);
  let best: [Point, Point] = [line[0]!, line[1] ?? line[0]!];
  for (let i = 1; i < line.length; i++) {
    const a = line[i - 1]!;
    const b = line[i]!;
    if (horizontal(a, b) && Math.abs(b.x - a.x) > Math.abs(best[1].x - best[0].x)) best = [a, b];
  }
  return { x: (best[0].x + best[1].x) / 2, y: (best[0].y + best[1].y) / 2 };
}

function length(a: Point, b: Point): number {
  return Math.hypot(b.x - a.x, b.y - a.y);
}

function toward(from: Point, to: Point, distance: number): Point {
  const whole = length(from, to);
  const share = whole === 0 ? 0 : Math.min(1, distance / whole);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
