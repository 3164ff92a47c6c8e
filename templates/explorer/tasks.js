// Long computations in slices, between which the page answers its reader.

const SLICE = 6; // ms, so that a frame of 16 ms has time for the rest

const channel = new MessageChannel(); // its messages come without the delay that timers have
const waiting = [];
channel.port1.onmessage = () => waiting.shift()();

function pause() {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}

/** What the generator `steps` returns, or null if `isWanted` turned false before. */
export async function inSlices(steps, isWanted, onSlice = () => {}) {
  let start = performance.now();
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value ?? true;
    if (performance.now() - start < SLICE) continue;
    onSlice();
    await pause();
    if (!isWanted()) return null;
    start = performance.now();
  }
}
