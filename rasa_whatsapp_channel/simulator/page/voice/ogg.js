// Opus packets as an Ogg file.
// https://www.rfc-editor.org/rfc/rfc3533 https://www.rfc-editor.org/rfc/rfc7845

const FIRST_PAGE = 2;
const LAST_PAGE = 4;
const PACKETS_A_PAGE = 50; // a second at 20 ms
const SEGMENTS_A_PAGE = 255;
const SERIAL = 0x57485350;

// Samples at 48 kHz in a frame, by the configuration in a packet's first byte (RFC 6716, 3.1).
const SILK = [480, 960, 1920, 2880];
const HYBRID = [480, 960];
const CELT = [120, 240, 480, 960];

/** The bytes of an Ogg file, for {head, packets}. */
export function toOgg({ head, packets }) {
  const pages = [page([head], { flags: FIRST_PAGE, granule: 0, number: 0 })];
  pages.push(page([tags()], { flags: 0, granule: 0, number: 1 }));
  let granule = 0;
  for (const group of grouped(packets)) {
    granule += group.reduce((sum, packet) => sum + samplesIn(packet), 0);
    const isLast = group.at(-1) === packets.at(-1);
    pages.push(page(group, { flags: isLast ? LAST_PAGE : 0, granule, number: pages.length }));
  }
  return new Blob(pages);
}

function tags() {
  const vendor = new TextEncoder().encode("simulator");
  const bytes = new Uint8Array(16 + vendor.length);
  bytes.set(new TextEncoder().encode("OpusTags"));
  new DataView(bytes.buffer).setUint32(8, vendor.length, true);
  bytes.set(vendor, 12);
  return bytes;
}

const segmentsOf = (packet) => Math.floor(packet.length / 255) + 1;

function* grouped(packets) {
  let group = [];
  let segments = 0;
  for (const packet of packets) {
    const more = segmentsOf(packet);
    if (group.length === PACKETS_A_PAGE || segments + more > SEGMENTS_A_PAGE) {
      yield group;
      [group, segments] = [[], 0];
    }
    group.push(packet);
    segments += more;
  }
  if (group.length) yield group;
}

/** How many samples at 48 kHz a packet holds. */
export function samplesIn(packet) {
  const configuration = packet[0] >> 3;
  const code = packet[0] & 3;
  const frames = code === 0 ? 1 : code === 3 ? packet[1] & 0x3f : 2;
  return frames * frameSize(configuration);
}

function frameSize(configuration) {
  if (configuration < 12) return SILK[configuration % 4];
  if (configuration < 16) return HYBRID[configuration % 2];
  return CELT[configuration % 4];
}

function page(packets, { flags, granule, number }) {
  const lacing = packets.flatMap((packet) => [
    ...Array(segmentsOf(packet) - 1).fill(255),
    packet.length % 255,
  ]);
  const length = packets.reduce((sum, packet) => sum + packet.length, 0);
  const bytes = new Uint8Array(27 + lacing.length + length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("OggS"));
  view.setUint8(5, flags);
  view.setBigUint64(6, BigInt(granule), true);
  view.setUint32(14, SERIAL, true);
  view.setUint32(18, number, true);
  view.setUint8(26, lacing.length);
  bytes.set(lacing, 27);
  let at = 27 + lacing.length;
  for (const packet of packets) {
    bytes.set(packet, at);
    at += packet.length;
  }
  view.setUint32(22, checksum(bytes), true);
  return bytes;
}

/** Ogg's own CRC: polynomial 0x04c11db7, no reflection, from zero. */
export function checksum(bytes) {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1)
      sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  }
  return sum >>> 0;
}
