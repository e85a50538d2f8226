/** A gradient lane on a canvas: the marks of the stage's lanes. */
import { hatchPath } from "../stage/hatch";
import { dotOf, laneMark, laneWords, ringOf } from "../stage/lane";

export interface LanePlace {
  /** The tick, and the upper edge. */
  middle: number;
  top: number;
  width: number;
  height: number;
}

/** Draws the mark of `value` in `ink`, the colour that is already chosen for what is filled. `words`: whether digits are drawn at this size. */
export function paintLane(context: CanvasRenderingContext2D, value: number, max: number, { middle, top, width, height }: LanePlace, ink: string, words: boolean, font: string): void {
  const half = width / 2 - 4;
  const y = top + height / 2;
  const mark = laneMark(value, max, half);
  context.fillStyle = context.strokeStyle = ink;
  if (mark.kind === "bar") context.fillRect(middle + mark.from, top + 3, mark.width, height - 6);
  else if (mark.kind === "hatch") {
    context.lineWidth = 1.5;
    context.beginPath();
    for (const [, x1, y1, x2, y2] of hatchPath(middle - half, top + 1, 2 * half, height - 2).matchAll(/M([\d.-]+) ([\d.-]+)L([\d.-]+) ([\d.-]+)/g)) {
      context.moveTo(Number(x1), Number(y1));
      context.lineTo(Number(x2), Number(y2));
    }
    context.stroke();
    context.lineWidth = 1;
  } else if (mark.kind === "zero" || mark.kind === "words") {
    const said = words ? laneWords(mark, width, height) : null;
    if (said) {
      const before = [context.font, context.textAlign] as const;
      context.font = `500 10px ${font}`;
      context.textAlign = said.side === "middle" ? "center" : said.side === "left" ? "right" : "left";
      context.fillText(said.text, middle + { left: -3, middle: 0, right: 4 }[said.side], y + 3.5, width);
      [context.font, context.textAlign] = before;
      return;
    }
    const dot = mark.kind === "words" ? { x: middle + mark.sign * dotOf(height).away, r: dotOf(height).radius } : { x: middle, r: ringOf(height) };
    context.beginPath();
    context.arc(dot.x, y, dot.r, 0, 2 * Math.PI);
    if (mark.kind === "words") context.fill();
    else context.stroke();
  }
}
