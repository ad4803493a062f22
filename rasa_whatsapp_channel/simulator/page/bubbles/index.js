// Selects the module that draws a type of message.
//
// A drawer gives {content, choices?, meta?, bare?}:
//   content  the nodes inside the bubble
//   choices  rows below them that can be tapped
//   meta     where the time stands: "inline" in the last line, "over" a picture, "below" all
//   bare     without a bubble around it

import { audio } from "./audio.js";
import { contacts } from "./contacts.js";
import { document } from "./document.js";
import { interactive } from "./interactive.js";
import { location } from "./location.js";
import { image, sticker, video } from "./media.js";
import { order, pin, system, unknown, unsupported } from "./others.js";
import { template } from "./template.js";
import { button, text } from "./text.js";

const DRAWERS = {
  audio,
  button,
  contacts,
  document,
  image,
  interactive,
  location,
  order,
  pin,
  sticker,
  system,
  template,
  text,
  unsupported,
  video,
  voice: audio,
};

/** Draw *item*; content that is not as the platform documents it is shown raw. */
export function draw(item, controller) {
  const drawer = Object.hasOwn(DRAWERS, item.type) ? DRAWERS[item.type] : unknown;
  try {
    return drawer(item, controller);
  } catch (error) {
    if (error instanceof TypeError) return unknown(item);
    throw error;
  }
}
