// Seen-unseen curves: constant, U, S and H under the pointer.
function startTradeoff() {
  const variants = DATA.trade_offs, hidden = new Set();
  let points = [], current = -1, root, marker;
  const harmonic = (s, u) => (s + u > 0 ? (2 * s * u) / (s + u) : 0);
  const values = (side) => variants.flatMap((one) => one.lines.flatMap((run) => run[side]));
  const limit = (side) => Math.min(105, 1.06 * values(side).reduce((most, value) => Math.max(most, value), 1) + 1);
  const limits = [limit("unseen"), limit("seen")];

  function draw(width) {
    const height = Math.round(Math.min(Math.max(0.62 * width, 300), 520));
    const box = { left: 50, right: width - 44, top: 10, bottom: height - 44 };
    root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "img", "aria-label": label() });
    const [x, y] = axes(root, box, [0, limits[0]], [0, limits[1]], ["accuracy on unseen classes, U (%)", "accuracy on seen classes, S (%)"]);
    for (const level of [20, 40, 60, 80]) drawLevel(level, x, y, box);
    points = [];
    variants.forEach((variant, place) => hidden.has(place) || drawVariant(variant, place, x, y));
    marker = svg("circle", { r: 6, fill: "none", stroke: "var(--text)", "stroke-width": 2, visibility: "hidden" });
    root.append(marker);
    pointed(root, (event) => select(nearest(points, ...within(root, event), 40)), () => select(-1));
    root.addEventListener("keydown", step);
    byId("tradeoff-chart").replaceChildren(root);
  }

  function label() {
    return "Curves of accuracy on seen against unseen classes: " + variants.map((one) => one.title).join("; ");
  }

  function drawLevel(level, x, y, box) {
    const us = [], ss = [];
    for (let u = level / 2 + 0.5; u <= limits[0]; u += 0.5) {
      const s = (level * u) / (2 * u - level);
      if (s <= limits[1]) us.push(x(u)), ss.push(y(s));
    }
    if (us.length < 2) return;
    root.append(svg("path", { class: "grid", d: path(us, ss), "stroke-width": 1.5 }));
    root.append(svg("text", { class: "soft", x: box.right + 4, y: ss.at(-1) + 4 }, `H ${level}`));
  }

  function drawVariant(variant, place, x, y) {
    const look = { stroke: seriesColour(place), fill: "none", "stroke-width": 1.6, opacity: 0.75, "stroke-dasharray": DASHES[Math.floor(place / 5) % 4] };
    for (const run of variant.lines) {
      root.append(svg("path", { d: path(run.unseen.map(x), run.seen.map(y)), ...look }));
      run.unseen.forEach((u, row) => points.push({ x: x(u), y: y(run.seen[row]), variant, run, row, u, s: run.seen[row], constant: run.constant[row] }));
    }
    for (const run of variant.lines) {
      const [u, s] = run.point;
      root.append(mark(MARKS[place % 5], x(u), y(s), 5, { fill: seriesColour(place), stroke: "var(--page)" }));
      points.push({ x: x(u), y: y(s), variant, run, row: -1, u, s, constant: 0 });
    }
  }

  function select(place) {
    current = place;
    marker?.setAttribute("visibility", place < 0 ? "hidden" : "visible");
    if (place < 0) return hideTip();
    const point = points[place], box = root.getBoundingClientRect();
    marker.setAttribute("cx", point.x);
    marker.setAttribute("cy", point.y);
    showTip(box.left + point.x, box.top + point.y, line(point.variant.title, true), line(`seed ${point.run.seed}`),
      line(point.row < 0 ? "predictions as they are" : `constant ${short(point.constant)}`),
      line(`U ${percent(point.u)}, S ${percent(point.s)}, H ${percent(harmonic(point.s, point.u))}`));
  }

  function step(event) {
    const along = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 50, ArrowUp: -50 }[event.key];
    if (!along || !points.length) return;
    event.preventDefault();
    select((Math.max(current, 0) + along + points.length) % points.length);
  }

  const again = drawn(byId("tradeoff-chart"), draw);
  variants.forEach((variant, place) => {
    const key = svg("svg", { width: 26, height: 14, "aria-hidden": "true" },
      svg("line", { x1: 0, x2: 26, y1: 7, y2: 7, stroke: seriesColour(place), "stroke-width": 2, "stroke-dasharray": DASHES[Math.floor(place / 5) % 4] }),
      mark(MARKS[place % 5], 13, 7, 4.5, { fill: seriesColour(place) }));
    const button = el("button", { type: "button", class: "line", "aria-pressed": "true", title: "show or hide", onclick: () => {
      hidden.has(place) ? hidden.delete(place) : hidden.add(place);
      button.setAttribute("aria-pressed", String(!hidden.has(place)));
      again();
    } }, key, variant.title);
    byId("tradeoff-legend").append(button);
  });
  byId("tradeoff-legend").append(saveButton("curves as drawn (CSV)", () =>
    saveCsv("seen_unseen_curves", ["variant", "seed", "constant", "U", "S"], variants.flatMap((variant) =>
      variant.lines.flatMap((run) => run.constant.map((value, row) => [variant.title, run.seed, value, run.unseen[row], run.seen[row]]))))));
}
