// Waveform of a voice message as bar heights; computed when the player becomes visible.

export const BARS = 40;
const RATE = 8000;

const jobs = new WeakMap();
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) start(target);
});

/** Call *draw* with {seconds, peaks} once *node* is visible; not if the sound cannot be read. */
export function listen(node, url, draw) {
  jobs.set(node, { url, draw });
  seen.observe(node);
}

function start(node) {
  seen.unobserve(node);
  const { url, draw } = jobs.get(node);
  read(url).then(draw, () => {}); // a flat line is fine: the player itself says what is wrong
}

async function read(url) {
  const bytes = await (await fetch(url)).arrayBuffer();
  const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
  return { seconds: sound.duration, peaks: peaksOf(sound.getChannelData(0)) };
}

/** BARS numbers from 0 to 1: the loudest of each part, relative to the loudest of all. */
export function peaksOf(samples) {
  const size = Math.max(1, Math.floor(samples.length / BARS));
  const peaks = Array.from({ length: BARS }, (_, bar) => {
    let peak = 0;
    for (let at = bar * size; at < (bar + 1) * size; at += 1)
      peak = Math.max(peak, Math.abs(samples[at] ?? 0));
    return peak;
  });
  const loudest = Math.max(...peaks) || 1;
  return peaks.map((peak) => peak / loudest);
}
