// What the page shows as the fragment of its address, and back.

const MAX_LENGTH = 4000; // characters of an encoded image

/** Bytes as text, compressed. */
export async function encodeBytes(bytes) {
  const packed = new Uint8Array(await transform(bytes, new CompressionStream("deflate-raw")));
  return btoa(String.fromCharCode(...packed))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The bytes that `encodeBytes` wrote, or null if they are not `length` many. */
export async function decodeBytes(text, length) {
  if (text.length > MAX_LENGTH || !/^[\w-]+$/.test(text)) return null;
  try {
    const packed = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
    const pixels = await transform(bytes, new DecompressionStream("deflate-raw"));
    return pixels.byteLength === length ? new Uint8Array(pixels) : null;
  } catch {
    return null; // not what this page wrote
  }
}

function transform(bytes, stream) {
  return new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer();
}

/** The fragment of a view: `models` (names), `active` (the plane that is moved over), `z`, `label`, `line` (two ends), `image` (the
 * index of a test image) or `drawing` (text), and whether it is `centred`. An end is the index of a test image, or a position. */
export function toFragment({ models, active, z, label, line, image, drawing, centred }) {
  const fields = new URLSearchParams();
  models.forEach((name) => fields.append("model", name));
  fields.set("plane", active + 1);
  fields.set("z", z.map(shorten).join(","));
  fields.set("label", label);
  line?.forEach((end) =>
    fields.append("end", Array.isArray(end) ? end.map(shorten).join(",") : end + 1),
  );
  if (image !== null) fields.set("image", image + 1);
  else if (drawing) fields.set("drawing", drawing);
  if (centred) fields.set("centred", 1);
  return fields.toString();
}

const shorten = (value) => Number(value.toFixed(4));

/** The view that a fragment names, with null for what is missing or malformed. */
export function fromFragment(fragment, { models, classes, images }) {
  const fields = new URLSearchParams(fragment);
  const names = fields
    .getAll("model")
    .filter((name) => models.includes(name))
    .slice(0, 2);
  const ends = fields.getAll("end").map((text) => position(text) ?? index(text, images));
  return {
    models: names.length ? names : null,
    active: Math.min(index(fields.get("plane"), 2) ?? 0, Math.max(names.length - 1, 0)),
    z: position(fields.get("z")),
    label: whole(fields.get("label"), classes),
    line: ends.length === 2 && ends.every((end) => end !== null) ? ends : null,
    image: index(fields.get("image"), images),
    drawing: fields.get("drawing"),
    centred: fields.has("centred"),
  };
}

/** A whole number from 0, below `count`. */
function whole(text, count) {
  return /^\d{1,6}$/.test(text ?? "") && Number(text) < count ? Number(text) : null;
}

/** The same, of a number that is written from 1. */
function index(text, count) {
  const number = whole(text, count + 1);
  return number ? number - 1 : null;
}

function position(text) {
  const parts = (text ?? "").split(",");
  const isNumber = (part) => /^-?\d{1,4}(\.\d{1,6})?$/.test(part);
  return parts.length === 2 && parts.every(isNumber) ? parts.map(Number) : null;
}
