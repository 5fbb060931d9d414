// The diagonal stripes on cgo edges, as a repeating pattern in device pixels.

const TILE_PX = 8;

export function createHatch(
  target: CanvasRenderingContext2D,
  colour: string,
  pixelRatio: number,
): CanvasPattern | null {
  const size = Math.round(TILE_PX * pixelRatio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const context = tile.getContext("2d");
  if (!context) return null;
  context.strokeStyle = colour;
  context.lineWidth = 1.6 * pixelRatio;
  context.beginPath();
  // Three lines, so that the stripe continues across the corners of the tile.
  for (const shift of [-size, 0, size]) {
    context.moveTo(shift - 2, size + 2);
    context.lineTo(shift + size + 2, -2);
  }
  context.stroke();
  const pattern = target.createPattern(tile, "repeat");
  pattern?.setTransform(new DOMMatrix().scale(1 / pixelRatio));
  return pattern;
}
