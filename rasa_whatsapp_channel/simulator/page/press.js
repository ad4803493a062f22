// A press of the pointer: what is drawn anew, or moves, under it would lose the click.

const LONGEST = 1_000; // milliseconds that a press can hold the page back

const waiting = []; // what is to be done, in order
let isPressed = false;
let timer;

/** Run *act*: now, or as soon as nothing is pressed any more, and after what waits already. */
export function unpressed(act) {
  waiting.push(act);
  if (!isPressed) run();
}

function run() {
  isPressed = false;
  while (waiting.length > 0) waiting.shift()();
}

function runIn(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(run, milliseconds);
}

function begin() {
  isPressed = true;
  runIn(LONGEST);
}

// The click comes behind the release, and before the next task.
const end = () => runIn(0);

addEventListener("pointerdown", begin, true);
addEventListener("pointerup", end, true);
addEventListener("pointercancel", end, true);
