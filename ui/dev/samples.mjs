// Packs samples into the columns of DATA.md: varints, the commonest number being the smallest,
// and "as before on this thread" where that is what most samples say.

const NS_PER_STEP = 100_000;

/** `leaf.folded(sample)` and `leaf.full(sample)` give the nodes a sample ends in. */
export function packSamples(samples, leaf) {
  const ordered = [...samples].sort((a, b) => a.time - b.time);
  const stacks = ranked(ordered, (sample) => `${leaf.folded(sample)} ${leaf.full(sample)}`);
  const goids = ranked(ordered, (sample) => `${sample.goid}`);
  const nodes = stacks.keys.map((key) => key.split(" ").map(Number));
  return {
    st_folded: Uint32Array.from(nodes, ([folded]) => folded),
    st_full: Uint32Array.from(nodes, ([, full]) => full),
    go_id: Float64Array.from(goids.keys, Number),
    sm_stack: varints(stacks.numbers),
    sm_thread: varints(ordered.map((sample) => sample.thread)),
    sm_goroutine: carried(ordered, (_, i) => goids.numbers[i]),
    sm_time: varints(steps(ordered)),
    sm_flags: Uint8Array.from(ordered, (sample) => sample.flags),
    sm_cpu: carried(ordered, (sample) => sample.cpu),
    sm_state: carried(ordered, (sample) => sample.state),
    sm_labels: carried(ordered, (sample) => sample.labels),
    sm_weight: new Uint8Array(0),
  };
}

/** Numbers for keys, the commonest being 0. */
function ranked(samples, keyOf) {
  const counts = new Map();
  const keys = samples.map(keyOf);
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const distinct = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const numbers = new Map(distinct.map((key, i) => [key, i]));
  return { keys: distinct, numbers: keys.map((key) => numbers.get(key)) };
}

function steps(samples) {
  let last = 0;
  return samples.map((sample) => {
    const now = Math.round(sample.time / NS_PER_STEP);
    const step = now - last;
    last = now;
    return step;
  });
}

function carried(samples, numberOf) {
  const last = new Map();
  return varints(
    samples.map((sample, i) => {
      const number = numberOf(sample, i);
      if ((last.get(sample.thread) ?? 0) === number) return 0;
      last.set(sample.thread, number);
      return number + 1;
    }),
  );
}

function varints(numbers) {
  const bytes = [];
  for (let number of numbers) {
    for (; number > 127; number = Math.floor(number / 128)) bytes.push((number & 127) | 128);
    bytes.push(number);
  }
  return Uint8Array.from(bytes);
}
