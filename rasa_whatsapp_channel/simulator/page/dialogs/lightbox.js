import { h, icon } from "../dom.js";
import { formatted } from "../format/render.js";
import { openDialog } from "./dialog.js";

/** Show a picture as large as the window allows. */
export function openLightbox(media) {
  const alt = media.caption ?? media.filename ?? "Image";
  const name = media.filename ?? "";
  const body = [
    h("img", { src: media.url, alt }),
    media.caption && formatted(media.caption),
    h(
      "a.tool.download",
      { href: media.url, download: name, "aria-label": `Download ${name || "the image"}` },
      icon("download"),
      "Download",
    ),
  ];
  return openDialog({ title: "Image", className: "lightbox", body });
}
