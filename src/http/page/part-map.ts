/** Which parts are stored, as a map of small squares: where there are more parts than room, a square stands for several. */
const SQUARE = 8;
const GAP = 2;
const MAX_LINES = 10;

export class PartMap {
  readonly #canvas: HTMLCanvasElement;
  #parts: Uint8Array = new Uint8Array();
  #count = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#draw()).observe(canvas.parentElement!);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  /** `map` is a PartList in base64. */
  show(map: string, count: number): void {
    this.#parts = Uint8Array.from(atob(map), (char) => char.charCodeAt(0));
    this.#count = count;
    this.#draw();
  }

  #draw(): void {
    const { width } = this.#canvas.parentElement!.getBoundingClientRect();
    const room = Math.max(1, Math.floor(Math.min(width - 32, 2_000)));
    const columns = Math.max(1, Math.floor((room + GAP) / (SQUARE + GAP)));
    const each = Math.max(1, Math.ceil(this.#count / (columns * MAX_LINES)));
    const squares = Math.ceil(this.#count / each);
    const height = Math.max(1, Math.ceil(squares / columns)) * (SQUARE + GAP) - GAP;
    const sharp = devicePixelRatio || 1;
    this.#canvas.width = room * sharp;
    this.#canvas.height = height * sharp;
    this.#canvas.style.height = `${height}px`;
    const pen = this.#canvas.getContext('2d');
    if (pen === null) return;
    pen.scale(sharp, sharp);
    const colours = getComputedStyle(this.#canvas);
    const missing = colours.getPropertyValue('--missing');
    const stored = colours.getPropertyValue('--down');
    for (let square = 0; square < squares; square++) {
      const x = (square % columns) * (SQUARE + GAP);
      const y = Math.floor(square / columns) * (SQUARE + GAP);
      const share = this.#share(square * each, Math.min((square + 1) * each, this.#count));
      pen.globalAlpha = 1;
      pen.fillStyle = missing;
      pen.fillRect(x, y, SQUARE, SQUARE);
      pen.globalAlpha = share;
      pen.fillStyle = stored;
      pen.fillRect(x, y, SQUARE, SQUARE);
    }
  }

  #share(from: number, to: number): number {
    let stored = 0;
    for (let part = from; part < to; part++) {
      if (((this.#parts[part >> 3] ?? 0) & (0x80 >> (part & 7))) !== 0) stored++;
    }
    return stored / (to - from);
  }
}
