// A drawing, and the canvas on which it is drawn.

const MAX_UNDO = 100;
const BOX = 20 / 28; // of the sides of an image: what MNIST's digits are scaled to
export const WIDTHS = { thin: 1.2, wide: 3.5 }; // radius of the brush, pixels

/** An image of bytes that can be drawn on, of a colour image all of one channel first. */
export class Drawing {
  constructor(shape, channels) {
    this.shape = shape;
    this.pixels = new Uint8Array(channels * shape[0] * shape[1]);
    this.past = [];
  }

  /** Keep the image as it is, to return to it by `undo`; `extra` is kept with it. */
  remember(extra) {
    this.past.push({ pixels: this.pixels.slice(), extra });
    if (this.past.length > MAX_UNDO) this.past.shift();
  }

  /** Return to the image before the last change, and to the `extra` that was kept with it, if there is one. */
  undo() {
    const last = this.past.pop();
    if (last) this.pixels = last.pixels;
    return last?.extra;
  }

  get isEmpty() {
    return this.pixels.every((value) => value === 0);
  }

  /** Paint a line from one position [x, y] to another, in pixels, with soft edges; `value` is 255 for white, 0 for black. */
  stroke([fromX, fromY], [toX, toY], radius, value) {
    const [rows, columns] = this.shape;
    const [alongX, alongY] = [toX - fromX, toY - fromY];
    const length2 = alongX ** 2 + alongY ** 2;
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const [x, y] = [column + 0.5 - fromX, row + 0.5 - fromY];
        const share = length2 && Math.min(Math.max((x * alongX + y * alongY) / length2, 0), 1);
        const distance = Math.hypot(x - share * alongX, y - share * alongY);
        const covered = Math.min(Math.max(radius + 0.5 - distance, 0), 1);
        const painted = Math.round(value ? covered * 255 : (1 - covered) * 255);
        for (let i = row * columns + column; i < this.pixels.length; i += rows * columns)
          this.pixels[i] = value
            ? Math.max(this.pixels[i], painted)
            : Math.min(this.pixels[i], painted);
      }
  }
}

/** The image scaled and centred as those of MNIST: what is not black is scaled to fit 20 of 28 pixels, its aspect kept, and its
 * centre of mass is put in the middle, by whole pixels. Bytes in, bytes out. */
export function centreAndScale(pixels, [rows, columns]) {
  const box = boundingBox(pixels, rows, columns);
  if (!box) return pixels;
  const scale =
    (BOX * Math.min(rows, columns)) / Math.max(box.bottom - box.top, box.right - box.left);
  const [height, width] = [(box.bottom - box.top) * scale, (box.right - box.left) * scale];
  const [rowsScaled, columnsScaled] = [
    Math.max(Math.round(height), 1),
    Math.max(Math.round(width), 1),
  ];
  const scaled = new Float32Array(rowsScaled * columnsScaled);
  let [mass, massX, massY] = [0, 0, 0];
  for (let row = 0; row < rowsScaled; row++)
    for (let column = 0; column < columnsScaled; column++) {
      const [stepY, stepX] = [
        (box.bottom - box.top) / rowsScaled,
        (box.right - box.left) / columnsScaled,
      ];
      const [top, left] = [box.top + row * stepY, box.left + column * stepX];
      const value = meanOfArea(pixels, columns, rows, left, top, left + stepX, top + stepY);
      scaled[row * columnsScaled + column] = value;
      mass += value;
      massX += value * (column + 0.5);
      massY += value * (row + 0.5);
    }
  // MNIST's middle is the centre of the pixel below and right of the middle of the image
  const firstRow = Math.round((rows + 1) / 2 - massY / mass);
  const firstColumn = Math.round((columns + 1) / 2 - massX / mass);
  const result = new Uint8Array(rows * columns);
  scaled.forEach((value, i) => {
    const row = firstRow + Math.floor(i / columnsScaled);
    const column = firstColumn + (i % columnsScaled);
    if (row >= 0 && row < rows && column >= 0 && column < columns)
      result[row * columns + column] = Math.round(value);
  });
  return result;
}

function boundingBox(pixels, rows, columns) {
  const box = { top: rows, bottom: 0, left: columns, right: 0 };
  pixels.forEach((value, i) => {
    if (!value) return;
    const [row, column] = [Math.floor(i / columns), i % columns];
    box.top = Math.min(box.top, row);
    box.bottom = Math.max(box.bottom, row + 1);
    box.left = Math.min(box.left, column);
    box.right = Math.max(box.right, column + 1);
  });
  return box.bottom ? box : null;
}

/** The mean of the pixels over a rectangle, of which parts of pixels count as parts. One that is smaller than a pixel is widened to
 * one, which makes edges soft. */
function meanOfArea(pixels, columns, rows, left, top, right, bottom) {
  const [moreX, moreY] = [Math.max(1 - right + left, 0) / 2, Math.max(1 - bottom + top, 0) / 2];
  let [sum, area] = [0, 0];
  for (let row = Math.floor(top - moreY); row < bottom + moreY; row++)
    for (let column = Math.floor(left - moreX); column < right + moreX; column++) {
      const width = Math.min(column + 1, right + moreX) - Math.max(column, left - moreX);
      const height = Math.min(row + 1, bottom + moreY) - Math.max(row, top - moreY);
      const isInside = row >= 0 && row < rows && column >= 0 && column < columns;
      if (isInside) sum += pixels[row * columns + column] * width * height;
      area += width * height;
    }
  return sum / area;
}

/** Keep strokes of one finger over a canvas from scrolling the page: a browser takes the tap after a fast one for what stops the
 * scrolling, and a button that is tapped does nothing. */
export function preventScrolling(canvas) {
  const prevent = (event) => event.touches.length === 1 && event.preventDefault();
  canvas.addEventListener("touchmove", prevent, { passive: false });
}

/** Lets the reader draw on a canvas by mouse, pen and finger, and by keyboard. `brush()` gives {radius, value}; `onStart` is called
 * before the first change of a stroke and `onChange` after each. */
export class Pad {
  constructor(canvas, drawing, { brush, onStart, onChange, onKey }) {
    Object.assign(this, { canvas, drawing, brush, onStart, onChange, onKey });
    this.cursor = [drawing.shape[1] / 2, drawing.shape[0] / 2].map(Math.floor).map((x) => x + 0.5);
    this.isPressed = false; // whether the arrow keys paint
    this.last = null; // position of the pointer, while it is pressed
    preventScrolling(canvas);
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
      canvas.addEventListener(end, () => (this.last = null));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => (this.isPressed = false));
  }

  positionOf(event) {
    const box = this.canvas.getBoundingClientRect();
    const [rows, columns] = this.drawing.shape;
    return [
      ((event.clientX - box.left) / box.width) * columns,
      ((event.clientY - box.top) / box.height) * rows,
    ];
  }

  press(event) {
    if (event.button || !event.isPrimary) return;
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.last = this.positionOf(event);
    this.onStart();
    this.paintTo(this.last, event.timeStamp);
  }

  move(event) {
    if (!this.last || !event.isPrimary) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const { clientX, clientY } of events.length ? events : [event])
      this.paintTo(this.positionOf({ clientX, clientY }), event.timeStamp);
  }

  paintTo(position, time) {
    const { radius, value } = this.brush();
    this.drawing.stroke(this.last ?? position, position, radius, value);
    this.last = position;
    this.onChange(time);
  }

  key(event) {
    if (event.altKey || event.metaKey || (event.ctrlKey && event.key !== "z")) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in arrows) this.moveCursor(arrows[event.key], event.shiftKey ? 4 : 1, event);
    else if (event.key === " ") this.lift(event);
    else if (!this.onKey(event)) return;
    event.preventDefault();
  }

  moveCursor([right, down], step, event) {
    const [rows, columns] = this.drawing.shape;
    const within = (value, most) => Math.min(Math.max(value, 0.5), most - 0.5);
    const from = this.cursor;
    this.cursor = [within(from[0] + right * step, columns), within(from[1] + down * step, rows)];
    if (this.isPressed) this.paintFrom(from, event.timeStamp);
    this.onChange(null);
  }

  /** Begin or end a stroke at the cursor. */
  lift(event) {
    if (event.repeat) return;
    this.isPressed = !this.isPressed;
    if (!this.isPressed) return this.onChange(null);
    this.onStart();
    this.paintFrom(this.cursor, event.timeStamp);
  }

  paintFrom(from, time) {
    const { radius, value } = this.brush();
    this.drawing.stroke(from, this.cursor, radius, value);
    this.onChange(time);
  }
}
