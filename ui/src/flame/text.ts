// Fitting names into boxes. Owns the widths of single glyphs, measured once per font, so
// that a frame with hundreds of labels asks the canvas for no measurement at all.

const ELLIPSIS = "…";
const ASCII_COUNT = 128;

export class TextFitter {
  private ascii = new Float32Array(ASCII_COUNT);
  private other = new Map<string, number>();
  private context: CanvasRenderingContext2D;
  private ellipsisWidth = 0;

  constructor(context: CanvasRenderingContext2D, font: string) {
    this.context = context;
    this.setFont(font);
  }

  setFont(font: string): void {
    this.context.font = font;
    this.other.clear();
    for (let code = 32; code < ASCII_COUNT; code++) {
      this.ascii[code] = this.context.measureText(String.fromCharCode(code)).width;
    }
    this.ellipsisWidth = this.context.measureText(ELLIPSIS).width;
  }

  width(text: string): number {
    let sum = 0;
    for (const glyph of text) sum += this.glyphWidth(glyph);
    return sum;
  }

  /** The text cut to `available` pixels with an ellipsis, or "" when nothing useful fits. */
  cut(text: string, available: number): string {
    let sum = this.ellipsisWidth;
    let kept = 0;
    for (const glyph of text) {
      sum += this.glyphWidth(glyph);
      if (sum > available) break;
      kept += glyph.length;
    }
    return kept < 2 ? "" : text.slice(0, kept) + ELLIPSIS;
  }

  private glyphWidth(glyph: string): number {
    const code = glyph.codePointAt(0)!;
    if (code < ASCII_COUNT) return this.ascii[code]!;
    let width = this.other.get(glyph);
    if (width === undefined) {
      width = this.context.measureText(glyph).width;
      this.other.set(glyph, width);
    }
    return width;
  }
}
