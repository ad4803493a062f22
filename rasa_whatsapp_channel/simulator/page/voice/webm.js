// The Opus packets in a WebM file: just enough of EBML for what browsers record.
// https://www.rfc-editor.org/rfc/rfc8794 https://www.rfc-editor.org/rfc/rfc9559

const ENTERED = new Set([0x18538067, 0x1654ae6b, 0xae, 0x1f43b675, 0xa0]); // containers we look into
const CODEC_PRIVATE = 0x63a2;
const SIMPLE_BLOCK = 0xa3;
const BLOCK = 0xa1;
const LACING = 0x06;

/** {head, packets}: the OpusHead bytes and all packets. RangeError when it is something else. */
export function readOpus(bytes) {
  let head = null;
  const packets = [];
  for (const { id, body } of elements(bytes)) {
    if (id === CODEC_PRIVATE) head = body;
    else if (id === SIMPLE_BLOCK || id === BLOCK) packets.push(frameOf(body));
  }
  if (!head || packets.length === 0) throw new RangeError("no Opus sound in this WebM");
  return { head, packets };
}

/** All elements in order, containers opened: their sizes may be unknown while they are recorded. */
function* elements(bytes) {
  let at = 0;
  while (at < bytes.length) {
    const id = vint(bytes, at, true);
    const size = vint(bytes, at + id.length, false);
    at += id.length + size.length;
    if (ENTERED.has(id.value)) continue;
    yield { id: id.value, body: bytes.subarray(at, at + size.value) };
    at += size.value;
  }
}

/** A number of variable length; ids keep the bit that tells the length. */
function vint(bytes, at, keepMarker) {
  const first = bytes[at];
  if (!first) throw new RangeError(`not EBML at byte ${at}`);
  const length = Math.clz32(first) - 23;
  let value = keepMarker ? first : first & (0xff >> length);
  for (let next = at + 1; next < at + length; next += 1) value = value * 256 + bytes[next];
  return { value, length };
}

function frameOf(block) {
  const track = vint(block, 0, false).length;
  if (block[track + 2] & LACING) throw new RangeError("laced blocks are not read");
  return block.subarray(track + 3); // two bytes of time and one of flags
}
