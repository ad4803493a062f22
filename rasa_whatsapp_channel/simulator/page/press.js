// A press of the pointer: what is drawn anew, or moves, under it would lose the click.

const waiting = []; // what is to be done, in order
let isPressed = false;
let ending;

/** Run *act*: now, or as soon as nothing is pressed any more, and after what waits already. */
export function unpressed(act) {
  waiting.push(act);
  if (!isPressed) run();
}

/** Settled as soon as nothing is pressed any more. */
export const pressEnd = () => new Promise(unpressed);

function run() {
  isPressed = false;
  while (waiting.length > 0) {
    try {
      waiting.shift()();
    } catch (error) {
      reportError(error); // the rest is to be done all the same
    }
  }
}

function begin({ button }) {
  if (button !== 0) return; // the others click nothing
  isPressed = true;
  clearTimeout(ending);
}

function end() {
  if (isPressed) ending = setTimeout(run); // the click comes behind the release, and before that
}

addEventListener("pointerdown", begin, true);
for (const kind of ["pointerup", "pointercancel", "contextmenu"]) addEventListener(kind, end, true);
// The release may have gone to another window.
addEventListener("blur", end);
addEventListener("pointermove", ({ buttons }) => buttons === 0 && end(), true);
