// Images on canvases, and canvases in one file.

/** Draw an image, its pixels from 0 to 1, of a colour image all of one channel first, into a canvas, `left` and `top` pixels from
 * its corner. */
export function paint(canvas, pixels, [rows, columns], left = 0, top = 0) {
  const image = new ImageData(columns, rows);
  const size = rows * columns;
  const isGrey = pixels.length === size;
  for (let i = 0; i < size; i++) {
    for (let channel = 0; channel < 3; channel++)
      image.data[4 * i + channel] = pixels[isGrey ? i : channel * size + i] * 255;
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, left, top);
}

/** One canvas with `parts` as they are on the page: canvases, and elements of which the text is written. */
export function compose(parts, colours, title) {
  const boxes = parts.map((part) => part.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const margin = 16;
  const head = 28;
  const width = Math.max(...boxes.map((box) => box.right)) - left + 2 * margin;
  const height = Math.max(...boxes.map((box) => box.bottom)) - top + 2 * margin + head;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * width, 2 * height]; // for screens and paper with many pixels
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  context.fillStyle = colours.background;
  context.fillRect(0, 0, width, height);
  context.fillStyle = colours.text;
  context.font = "bold 16px system-ui, sans-serif";
  context.fillText(title, margin, margin + 10, width - 2 * margin);
  parts.forEach((part, i) => {
    const [x, y] = [boxes[i].left - left + margin, boxes[i].top - top + margin + head];
    if (part instanceof HTMLCanvasElement) {
      context.imageSmoothingEnabled = getComputedStyle(part).imageRendering !== "pixelated";
      context.drawImage(part, x, y, boxes[i].width, boxes[i].height);
    } else {
      writeText(context, part, x, y, boxes[i].width);
    }
  });
  return canvas;
}

/** The text of an element, broken into lines where it does not fit. */
function writeText(context, element, x, y, width) {
  const style = getComputedStyle(element);
  const lineHeight = Number.parseFloat(style.lineHeight);
  context.font = `${style.fontWeight} ${style.fontSize} system-ui, sans-serif`;
  context.textBaseline = "top";
  const lines = [""];
  for (const word of textOf(element).split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width <= width || !lines.at(-1))
      lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  lines.forEach((line, i) => context.fillText(line, x, y + i * lineHeight, width));
}

function textOf(element) {
  return element instanceof HTMLSelectElement
    ? element.selectedOptions[0].textContent.trim()
    : element.textContent.trim();
}

/** Let the browser save a canvas as a file. */
export function saveAs(canvas, name) {
  const anchor = document.createElement("a");
  anchor.download = name;
  anchor.href = canvas.toDataURL("image/png");
  anchor.click();
}
