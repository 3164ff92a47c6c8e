// The trained networks in the browser: what `decode_positions` and `encode` compute with torch, in batches.

const ACTIVATIONS = {
  ReLU: (value) => Math.max(value, 0),
  Sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  Tanh: Math.tanh,
};
const ROWS = 4; // of a batch that `multiply` takes at a time

/** An array that `encode_array` in pack.py wrote: base64 of its compressed bytes, the lowest byte first. */
export async function unpack(text, ArrayType = Uint8Array) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new ArrayType(await new Response(stream).arrayBuffer());
}

/** Fourier features, or a linear layer: its weights (outputs, inputs) are whole multiples of one step for each output. */
export async function unpackLayer(layer) {
  if (layer.frequencies) return { frequencies: await unpack(layer.frequencies, Float32Array) };
  const [bytes, steps, bias] = await Promise.all([
    unpack(layer.weights),
    unpack(layer.steps, Float32Array),
    unpack(layer.bias, Float32Array),
  ]);
  const weights = new Float32Array(bytes.length / 2);
  const inputs = weights.length / steps.length;
  for (let i = 0; i < weights.length; i++) {
    const folded = bytes[i] + 256 * bytes[weights.length + i]; // 0, −1, 1, −2, … as 0, 1, 2, 3, …
    weights[i] = (folded % 2 ? -(folded + 1) / 2 : folded / 2) * steps[Math.floor(i / inputs)];
  }
  return { weights, bias, activation: layer.activation };
}

/** The outputs (n, outputs) of a network for inputs (n, inputs), both as flat arrays. */
export function forward(layers, inputs, n) {
  const rows = n === 1 ? 1 : Math.ceil(n / ROWS) * ROWS;
  let values = new Float32Array((inputs.length / n) * rows);
  values.set(inputs);
  for (const { frequencies, weights, bias, activation } of layers) {
    if (frequencies) {
      values = fourierFeatures(frequencies, values, rows);
      continue;
    }
    values =
      rows === 1 ? multiplyRow(weights, bias, values) : multiply(weights, bias, values, rows);
    if (activation) values = values.map(ACTIVATIONS[activation]);
  }
  return values.subarray(0, (values.length / rows) * n);
}

/** A linear layer, of one row. */
function multiplyRow(weights, bias, inputs) {
  const outputs = new Float32Array(bias.length);
  for (let output = 0; output < outputs.length; output++) {
    const first = output * inputs.length;
    let [even, odd] = [bias[output], 0]; // two sums, because an addition has to wait for the last one
    for (let i = 0; i + 1 < inputs.length; i += 2) {
      even += weights[first + i] * inputs[i];
      odd += weights[first + i + 1] * inputs[i + 1];
    }
    const last = inputs.length - 1;
    if (inputs.length % 2) even += weights[first + last] * inputs[last];
    outputs[output] = even + odd;
  }
  return outputs;
}

/** Each row of `inputs`, z and the label, followed by the sines and the cosines of random projections of z. */
function fourierFeatures(frequencies, inputs, rows) {
  const [given, count] = [inputs.length / rows, frequencies.length / 2];
  const outputs = new Float32Array(rows * (given + 2 * count));
  for (let row = 0; row < rows; row++) {
    const first = row * (given + 2 * count);
    outputs.set(inputs.subarray(row * given, (row + 1) * given), first);
    const [x, y] = [inputs[row * given], inputs[row * given + 1]];
    for (let i = 0; i < count; i++) {
      const angle = x * frequencies[i] + y * frequencies[count + i];
      outputs[first + given + i] = Math.sin(angle);
      outputs[first + given + count + i] = Math.cos(angle);
    }
  }
  return outputs;
}

/** A linear layer. Four rows and two outputs at a time, because then each number that is read is used more than once:
 * several times as fast as one by one. */
function multiply(weights, bias, inputs, rows) {
  const [nInputs, nOutputs] = [inputs.length / rows, bias.length];
  const outputs = new Float32Array(rows * nOutputs);
  for (let row = 0; row < rows; row += ROWS) {
    const row0 = row * nInputs;
    const [row1, row2, row3] = [row0 + nInputs, row0 + 2 * nInputs, row0 + 3 * nInputs];
    for (let first = 0; first < nOutputs; first += 2) {
      const second = Math.min(first + 1, nOutputs - 1);
      const [weight0, weight1] = [first * nInputs, second * nInputs];
      let [a0, a1, a2, a3] = [bias[first], bias[first], bias[first], bias[first]];
      let [b0, b1, b2, b3] = [bias[second], bias[second], bias[second], bias[second]];
      for (let i = 0; i < nInputs; i++) {
        const a = weights[weight0 + i];
        const b = weights[weight1 + i];
        const x0 = inputs[row0 + i];
        const x1 = inputs[row1 + i];
        const x2 = inputs[row2 + i];
        const x3 = inputs[row3 + i];
        a0 += a * x0;
        a1 += a * x1;
        a2 += a * x2;
        a3 += a * x3;
        b0 += b * x0;
        b1 += b * x1;
        b2 += b * x2;
        b3 += b * x3;
      }
      const output = row * nOutputs;
      outputs[output + first] = a0;
      outputs[output + nOutputs + first] = a1;
      outputs[output + 2 * nOutputs + first] = a2;
      outputs[output + 3 * nOutputs + first] = a3;
      outputs[output + second] = b0;
      outputs[output + nOutputs + second] = b1;
      outputs[output + 2 * nOutputs + second] = b2;
      outputs[output + 3 * nOutputs + second] = b3;
    }
  }
  return outputs;
}

/** `values` (n, size), each row followed by the one-hot label, of which there is one for all rows or one for each. */
function appendLabel(model, values, n, label) {
  if (!model.conditional) return values;
  const [size, classes] = [values.length / n, model.classes.length];
  const inputs = new Float32Array(n * (size + classes));
  for (let row = 0; row < n; row++) {
    inputs.set(values.slice(row * size, (row + 1) * size), row * (size + classes));
    inputs[row * (size + classes) + size + (label[row] ?? label)] = 1;
  }
  return inputs;
}

/** The decoder's outputs (n, P) at positions [x, y]. The label, one or an array of one for each position, matters only to a
 * conditional model. */
export function decodeOutputs(model, positions, label = 0) {
  const n = positions.length;
  return forward(model.decoder, appendLabel(model, positions.flat(), n, label), n);
}

/** The pixels, 0 to 1, that `model` decodes from positions [x, y]: one array for each. */
export function decode(model, positions, label = 0) {
  const outputs = decodeOutputs(model, positions, label);
  const size = outputs.length / positions.length;
  return positions.map((_, row) => toPixels(model, outputs.subarray(row * size, (row + 1) * size)));
}

function toPixels(model, outputs) {
  if (model.output === "sigmoid") return outputs.map(ACTIVATIONS.Sigmoid);
  return outputs.map((value) => Math.min(Math.max(value, 0), 1));
}

/** The code [x, y] that the encoder gives an image, pixels from 0 to 1, and of a Gaussian its standard deviations. */
export function encode(model, pixels, label = 0) {
  const outputs = forward(model.encoder, appendLabel(model, pixels, 1, label), 1);
  const mean = [outputs[0], outputs[1]];
  if (outputs.length < 4) return { mean, std: null };
  return { mean, std: [Math.exp(outputs[2] / 2), Math.exp(outputs[3] / 2)] };
}
