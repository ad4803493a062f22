import { h, svg } from "../dom.js";

export function location({ content }) {
  const { latitude, longitude, name, address } = content;
  const label = `Map with a pin at ${latitude}, ${longitude}`;
  const details = [
    name && h("p.place-name", { dir: "auto" }, name),
    name && address && h("p.quiet", { dir: "auto" }, address), // WhatsApp shows it only with a name
    h(
      "p.quiet.coordinates",
      { dir: "ltr" },
      `${Number(latitude).toFixed(5)}, ${Number(longitude).toFixed(5)}`,
    ),
  ];
  return { content: [map(latitude, longitude, label), h("div.place", {}, details)], meta: "below" };
}

/** A drawn neighbourhood: no tiles, but the same place always looks the same. */
function map(latitude, longitude, label) {
  const random = seeded(Number(latitude) * 7919 + Number(longitude) * 104_729);
  const streets = [0.2, 0.5, 0.8].flatMap((part) => [
    street(part * 260 + random() * 40, -10, part * 260 + (random() - 0.5) * 120, 140, "street"),
    street(-10, part * 130 + random() * 20, 270, part * 130 + (random() - 0.5) * 50, "street"),
  ]);
  const tilt = (random() - 0.5) * 130;
  const park = svg("rect", {
    ...{ x: random() * 150, y: random() * 60, width: 70, height: 50, rx: 8 },
    class: "park",
    transform: `rotate(${(random() - 0.5) * 30} 130 65)`,
  });
  const y = 20 + random() * 90;
  const river = svg("path", {
    d: `M-10 ${y} C 80 ${y - tilt / 2}, 160 ${y + tilt}, 270 ${y + tilt / 4}`,
    class: "river",
  });
  const avenue = street(-10, 65 + tilt / 2, 270, 65 - tilt / 2, "avenue");
  const props = { viewBox: "0 0 260 130", class: "map", role: "img", "aria-label": label };
  return svg(
    "svg",
    { ...props, preserveAspectRatio: "xMidYMid slice" },
    park,
    river,
    ...streets,
    avenue,
    ...pin(),
  );
}

function street(x1, y1, x2, y2, name) {
  return svg("line", { x1, y1, x2, y2, class: name });
}

function pin() {
  return [
    svg("ellipse", { cx: 130, cy: 76, rx: 9, ry: 3.5, class: "pin-shadow" }),
    svg("path", { d: "M130 76c11-13 17-22 17-30a17 17 0 1 0-34 0c0 8 6 17 17 30Z", class: "pin" }),
    svg("circle", { cx: 130, cy: 46, r: 6.5, class: "pin-hole" }),
  ];
}

function seeded(seed) {
  let state = Math.abs(Math.round(seed * 1000)) % 2_147_483_647 || 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
