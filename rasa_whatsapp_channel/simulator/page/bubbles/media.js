import { h, icon, webLink } from "../dom.js";
import { folded } from "../format/render.js";
import { lengthOf } from "../times.js";

export function image({ content }, controller) {
  return withCaption(picture(content, controller), content.caption);
}

export function video({ content }) {
  return withCaption(film(content), content.caption);
}

export function sticker({ content }) {
  const alt = "Sticker";
  const node = content.url
    ? h("img.sticker", { src: content.url, alt, width: 148, height: 148 })
    : missing("sticker", "Sticker", content);
  node.addEventListener("error", () => node.replaceWith(missing("sticker", "Sticker", content)));
  return { content: [node], meta: "below", bare: true };
}

function withCaption(node, caption) {
  if (!caption) return { content: [node], meta: "over" };
  return { content: [node, ...folded(caption)], meta: "inline" };
}

/** A picture that opens large. */
export function picture(media, controller) {
  if (!media.url) return missing("image", "Image", media);
  const img = h("img", { src: media.url, alt: media.caption ?? media.filename ?? "Image" });
  const label = `Enlarge: ${media.caption ?? "image"}`;
  const open = () => controller.openImage(media);
  const node = h("button.picture", { type: "button", "aria-label": label, onclick: open }, img);
  img.addEventListener("error", () => node.replaceWith(missing("image", "Image", media)));
  return node;
}

/** A video player. */
export function film(media) {
  if (!media.url) return missing("video", "Video", media);
  const label = media.caption ?? media.filename ?? "Video";
  const props = { src: media.url, preload: "metadata", playsinline: true };
  const video = h("video", { ...props, "aria-label": label });
  const length = h("span.film-length", {}, icon("video"), lengthOf(NaN));
  const start = { type: "button", "aria-label": `Play: ${label}`, onclick: play };
  const cover = h("button.film-cover", start, h("span.film-play", {}, icon("play")), length);
  const node = h("div.film", {}, video, cover);

  // As on a phone: first a picture with its length, then a player.
  function play() {
    cover.remove();
    video.controls = true;
    video.focus();
    video.play().catch(() => {}); // the error event says what is wrong
  }

  video.addEventListener("loadedmetadata", () => {
    length.lastChild.textContent = lengthOf(Math.max(1, video.duration));
  });
  video.addEventListener("error", () => node.replaceWith(missing("video", "Video", media)));
  return node;
}

/** Placeholder for media that cannot be shown, with their source. */
export function missing(symbol, name, media) {
  const source = webLink(media.link) ?? media.id ?? media.mime_type ?? "";
  return h(
    "div.missing",
    {},
    icon(symbol),
    h("p", {}, `${name} cannot be shown`),
    source && h("p.quiet", { dir: "ltr" }, source),
  );
}
