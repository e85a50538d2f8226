/** A grid over the drawing that knows which boxes lie in each of its squares: for what is in view, and for what is under the pointer. */
import type { Box, Placed } from "./layout";
import type { Scene } from "./scene";
import { touches, type Rect } from "./view";

const SQUARE = 640; // px of the drawing
const MOST = 512; // squares along an axis

export class Spatial {
  private readonly size: number;
  private readonly columns: number;
  private readonly rows: number;
  private readonly squares: number[][];
  /** Marks what a query has given already, by the number of the query. */
  private readonly marks: Int32Array;
  private query = 0;

  constructor(private readonly boxes: readonly Box[], width: number, height: number) {
    this.size = Math.max(SQUARE, width / MOST, height / MOST);
    this.columns = Math.max(1, Math.ceil(width / this.size));
    this.rows = Math.max(1, Math.ceil(height / this.size));
    this.squares = Array.from({ length: this.columns * this.rows }, () => []);
    this.marks = new Int32Array(boxes.length);
    boxes.forEach((box, i) => this.each({ left: box.x, top: box.y, right: box.x + box.width, bottom: box.y + box.height }, (square) => square.push(i)));
  }

  /** Boxes that touch `rect`, in order. */
  within(rect: Rect): number[] {
    const found: number[] = [];
    const query = ++this.query;
    this.each(rect, (square) => {
      for (const i of square) {
        if (this.marks[i] === query) continue;
        this.marks[i] = query;
        const box = this.boxes[i]!;
        if (touches(rect, box)) found.push(i);
      }
    });
    return found.sort((a, b) => a - b);
  }

  /** The box at a point of the drawing; of several the last, which is drawn over the others. -1: none. */
  at(x: number, y: number, slack = 0): number {
    return this.within({ left: x - slack, top: y - slack, right: x + slack, bottom: y + slack }).at(-1) ?? -1;
  }

  private each(rect: Rect, visit: (square: number[]) => void): void {
    const clamp = (at: number, count: number): number => Math.min(count - 1, Math.max(0, Math.floor(at / this.size)));
    const [left, right] = [clamp(rect.left, this.columns), clamp(rect.right, this.columns)];
    const [top, bottom] = [clamp(rect.top, this.rows), clamp(rect.bottom, this.rows)];
    for (let row = top; row <= bottom; row++) for (let column = left; column <= right; column++) visit(this.squares[row * this.columns + column]!);
  }
}

export function boxesOf(scene: Scene, { cards }: Placed): Box[] {
  return scene.items.map(({ width, height }, i) => ({ ...cards[i]!, width, height }));
}

/** Around each line. */
export function boundsOf({ lines }: Placed): Box[] {
  return lines.map((points) => {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const { x, y } of points) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    return points.length ? { x: left, y: top, width: right - left, height: bottom - top } : { x: 0, y: 0, width: -1, height: -1 };
  });
}
