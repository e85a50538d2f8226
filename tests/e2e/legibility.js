// What stands on the lecture's canvas, measured: sizes, contrast of the colours as they are computed, boxes. An expression: called by the tests.
() => {
  const canvas = document.querySelector("[data-testid=lecture-canvas]");
  const frame = canvas.getBoundingClientRect();
  const scale = frame.width / canvas.offsetWidth;
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  paint.canvas.width = paint.canvas.height = 1;

  const colours = new Map();
  /** Any colour as [r, g, b, a], 0 to 255. */
  const rgba = (colour) => {
    if (!colours.has(colour)) {
      paint.clearRect(0, 0, 1, 1);
      paint.fillStyle = colour;
      paint.fillRect(0, 0, 1, 1);
      colours.set(colour, [...paint.getImageData(0, 0, 1, 1).data]);
    }
    return colours.get(colour);
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };

  // One unit is what is read as one: a tile, a label, a caption with the formulas in it.
  const units = new Map();
  const walker = document.createTreeWalker(canvas, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.data.trim() === "" || node.parentElement.closest("annotation, .sr-only")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const size = parseFloat(getComputedStyle(node.parentElement).fontSize);
    for (const box of range.getClientRects()) {
      if (box.width === 0) continue;
      const middle = (box.top + box.bottom) / 2;
      const half = 0.4 * size * scale; // of a line's height, what letters take
      const rect = { left: box.left, right: box.right, top: middle - half, bottom: middle + half };
      const element = node.parentElement.closest("p, b, .tile, .token, .factor, .norm, .strip-name, .name, .p, .target, .way, math") ?? node.parentElement;
      const unit = units.get(element) ?? { text: "", size: Infinity, chinese: false, opacity: 1, contrast: Infinity, colours: "", clipped: "", rects: [] };
      units.set(element, unit);
      unit.text += node.data.trim();
      unit.size = Math.min(unit.size, size);
      unit.chinese ||= /[\u4e00-\u9fff]/.test(node.data) && (unit.size = Math.min(unit.size, size), true);
      unit.rects.push(rect);
      for (let at = node.parentElement; at !== canvas; at = at.parentElement) {
        unit.opacity *= Number(getComputedStyle(at).opacity);
        if (getComputedStyle(at).overflowX !== "visible") {
          const limit = at.getBoundingClientRect();
          if (box.left < limit.left - 1 || box.right > limit.right + 1 || rect.top < limit.top - 1 || rect.bottom > limit.bottom + 1) unit.clipped = `is cut off by .${at.className}`;
        }
      }
      if (box.left < frame.left || box.right > frame.right || rect.top < frame.top || rect.bottom > frame.bottom) unit.clipped = "leaves the canvas";
      // what is painted behind it: the first of the elements under its middle that has a colour of its own
      const under = document.elementsFromPoint((box.left + box.right) / 2, middle).filter((at) => canvas.contains(at) || at.contains(canvas));
      const ground = under.map((at) => rgba(getComputedStyle(at).backgroundColor)).find((colour) => colour[3] === 255) ?? [255, 255, 255, 255];
      const ink = rgba(getComputedStyle(node.parentElement).color);
      const found = contrast(ink, ground);
      if (found < unit.contrast) [unit.contrast, unit.colours] = [found, `${ink} on ${ground}`];
    }
  }
  const list = [...units];
  const overlaps = [];
  list.forEach(([one, a], i) => {
    for (const [other, b] of list.slice(i + 1)) {
      if (one.contains(other) || other.contains(one)) continue;
      if (a.rects.some((p) => b.rects.some((q) => Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 1))) overlaps.push(`${a.text} | ${b.text}`);
    }
  });
  return { scale, units: list.map(([, unit]) => ({ ...unit, rects: undefined })), overlaps };
}
