// Files dropped onto the phone.

const hasFiles = ({ dataTransfer }) => [...(dataTransfer?.types ?? [])].includes("Files");

/** Call *take* with the files that are dropped onto *phone*. */
export function catchDrops(phone, take) {
  const sign = phone.querySelector(".drop");
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
