// Axes and lines of the charts, drawn as SVG.
const MARKS = ["circle", "square", "diamond", "down", "up"];
const DASHES = ["", "7 3", "7 3 2 3", "2 3"];

/** Round values between `low` and `high`, about `count` of them, at least `least` apart. */
function ticks(low, high, count, least = 0) {
  const span = high - low || Math.abs(high) || 1;
  const rough = 10 ** Math.floor(Math.log10(span / count));
  const step = Math.max(least, rough * [1, 2, 5, 10].find((factor) => span / (rough * factor) <= count));
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-9; value += step) found.push(+value.toPrecision(12));
  return found;
}

const scale = (low, high, from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);

/** A round value of an axis from `low` to `high`, in as many digits as tell it from its neighbours. */
function tickText(value, low, high) {
  const digits = Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / (high - low || 1))) + 2;
  return digits > 4 ? String(+value.toPrecision(digits)) : short(value);
}

/** Axes of a plot: `box` has left, right, top, bottom; returns where values lie. */
function axes(root, box, xs, ys, labels, counts = [6, 6], least = 0) {
  const x = scale(xs[0], xs[1], box.left, box.right), y = scale(ys[0], ys[1], box.bottom, box.top);
  for (const value of ticks(...xs, counts[0], least)) {
    root.append(svg("line", { class: "grid", x1: x(value), x2: x(value), y1: box.top, y2: box.bottom }));
    root.append(svg("text", { class: "soft", x: x(value), y: box.bottom + 15, "text-anchor": "middle" }, tickText(value, ...xs)));
  }
  for (const value of ticks(...ys, counts[1])) {
    root.append(svg("line", { class: "grid", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }));
    root.append(svg("text", { class: "soft", x: box.left - 6, y: y(value) + 4, "text-anchor": "end" }, tickText(value, ...ys)));
  }
  root.append(svg("path", { class: "axis", d: `M${box.left},${box.top}V${box.bottom}H${box.right}` }));
  if (labels[0]) root.append(svg("text", { x: (box.left + box.right) / 2, y: box.bottom + 34, "text-anchor": "middle" }, labels[0]));
  if (labels[1]) {
    const middle = (box.top + box.bottom) / 2;
    root.append(svg("text", { transform: `translate(13 ${middle}) rotate(-90)`, "text-anchor": "middle" }, labels[1]));
  }
  return [x, y];
}

const path = (xs, ys) => xs.map((value, place) => `${place ? "L" : "M"}${value.toFixed(1)},${ys[place].toFixed(1)}`).join("");

/** A marker of the given kind around (x, y). */
function mark(kind, x, y, size, attributes) {
  if (kind === "circle") return svg("circle", { cx: x, cy: y, r: size, ...attributes });
  const turn = { square: [[-1, -1], [1, -1], [1, 1], [-1, 1]], diamond: [[0, -1.4], [1.4, 0], [0, 1.4], [-1.4, 0]],
    down: [[-1.2, -1], [1.2, -1], [0, 1.3]], up: [[-1.2, 1], [1.2, 1], [0, -1.3]] }[kind];
  return svg("path", { d: "M" + turn.map(([dx, dy]) => `${x + dx * size},${y + dy * size}`).join("L") + "Z", ...attributes });
}

/** The place of the point nearest to (x, y) among `points` ({x, y}), or -1 beyond `reach`. */
function nearest(points, x, y, reach = Infinity) {
  let best = -1, least = reach * reach;
  for (let place = 0; place < points.length; place++) {
    const distance = (points[place].x - x) ** 2 + (points[place].y - y) ** 2;
    if (distance < least) [best, least] = [place, distance];
  }
  return best;
}

/** Where the pointer is within `node`. */
function within(node, event) {
  const box = node.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
