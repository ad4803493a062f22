// Files dropped onto the phone.

import { byId } from "../dom.js";

const hasFiles = ({ dataTransfer }) => [...(dataTransfer?.types ?? [])].includes("Files");

/** Call *take* with the files that are dropped onto the phone. */
export function catchDrops(take) {
  const phone = byId("phone");
  const sign = byId("drop");
  let depth = 0; // enter and leave also come from every child

  function show(change) {
    depth = Math.max(0, depth + change);
    sign.hidden = depth === 0;
  }

  phone.addEventListener("dragenter", (event) => hasFiles(event) && show(+1));
  phone.addEventListener("dragleave", (event) => hasFiles(event) && show(-1));
  // Without this the browser would leave the page and open the file.
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => hasFiles(event) && event.preventDefault());
  phone.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    show(-depth);
    take([...event.dataTransfer.files]);
  });
}
