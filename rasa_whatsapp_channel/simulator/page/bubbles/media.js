import { h, icon, webLink } from "../dom.js";
import { formatted } from "../format/render.js";

export function image({ content }, desk) {
  return withCaption(picture(content, desk), content.caption);
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
  return { content: [node, formatted(caption)], meta: "inline" };
}

/** A picture that opens large. */
export function picture(media, desk) {
  if (!media.url) return missing("image", "Image", media);
  const img = h("img", { src: media.url, alt: media.caption ?? media.filename ?? "Image" });
  const label = `Enlarge: ${media.caption ?? "image"}`;
  const open = () => desk.openImage(media);
  const node = h("button.picture", { type: "button", "aria-label": label, onclick: open }, img);
  img.addEventListener("error", () => node.replaceWith(missing("image", "Image", media)));
  return node;
}

/** A video player. */
export function film(media) {
  if (!media.url) return missing("video", "Video", media);
  const label = media.caption ?? media.filename ?? "Video";
  const props = { src: media.url, controls: true, preload: "metadata", playsinline: true };
  const node = h("video.film", { ...props, "aria-label": label });
  node.addEventListener("error", () => node.replaceWith(missing("video", "Video", media)));
  return node;
}

/** What stands in for media that cannot be shown; says where they should have come from. */
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
