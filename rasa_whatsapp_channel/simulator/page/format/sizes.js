// File sizes and names as text.

const UNITS = ["B", "kB", "MB", "GB"];

/** "1.4 MB", for a number of bytes. */
export function sizeOf(bytes) {
  if (!Number.isFinite(bytes)) return "";
  const power = Math.min(
    Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)),
    UNITS.length - 1,
  );
  const value = bytes / 1024 ** power;
  return `${power && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/** "PDF" for "invoice.pdf"; "" when the name has no ending. */
export function endingOf(filename) {
  const ending = /\.([\p{L}\p{N}]{1,5})$/u.exec(filename ?? "");
  return ending ? ending[1].toUpperCase() : "";
}
