// Training curves of a variant: a panel per term, a line per seed.
function startTraining() {
  function show(place) {
    const seeds = [...new Set(DATA.training[place].panels.flatMap((own) => own.lines.map((seed) => seed.seed)))];
    byId("training-legend").replaceChildren(...seeds.map((seed, row) => el("span", {}, key(row), ` seed ${seed}`)));
    byId("training-panels").replaceChildren(...DATA.training[place].panels.map(panel));
  }

  const key = (row) => svg("svg", { width: 26, height: 10, "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 26, y1: 5, y2: 5, stroke: seriesColour(row), "stroke-width": 2, "stroke-dasharray": DASHES[row % 4] }));

  function panel(own) {
    const chart = el("div", { class: "chart" });
    const warnings = el("div", {}, ...own.alarms.map((text) => el("p", { class: "warning" }, `⚠ ${text}`)));
    const node = el("figure", {}, el("h3", {}, `${own.stage}: ${own.term}`), chart, warnings);
    drawn(chart, (width) => chart.replaceChildren(plot(own, width)));
    return node;
  }

  function plot(own, width) {
    const height = 170, box = { left: 52, right: width - 18, top: 8, bottom: height - 24 };
    const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "img", "aria-label": `${own.stage}, ${own.term} over epochs, ${own.lines.length} seeds` });
    const values = own.lines.flatMap((seed) => seed.values).filter((value) => value !== null), epochs = own.lines.flatMap((seed) => seed.epochs);
    if (!values.length) return el("p", {}, "no finite value");
    const [low, high] = [Math.min(...values), Math.max(...values)], air = (high - low || Math.abs(high) || 1) * 0.05;
    const [first, last] = [Math.min(...epochs), Math.max(...epochs)];
    const [x, y] = axes(root, box, [first, Math.max(last, first + 1)], [low - air, high + air], ["", ""], [5, 4], 1);
    own.lines.forEach((seed, place) => {
      const kept = seed.epochs.map((_, row) => row).filter((row) => seed.values[row] !== null);
      const points = [kept.map((row) => x(seed.epochs[row])), kept.map((row) => y(seed.values[row]))];
      root.append(svg("path", { d: path(...points), fill: "none", stroke: seriesColour(place), "stroke-width": 1.6, "stroke-dasharray": DASHES[place % 4] }));
      if (kept.length < 3) points[0].forEach((px, row) => root.append(svg("circle", { cx: px, cy: points[1][row], r: 2.5, fill: seriesColour(place) })));
    });
    const cursor = svg("line", { class: "axis", y1: box.top, y2: box.bottom, visibility: "hidden" });
    root.append(cursor);
    readEpochs(own, root, cursor, x);
    return root;
  }

  function readEpochs(own, root, cursor, x) {
    const epochs = [...new Set(own.lines.flatMap((seed) => seed.epochs))].sort((a, b) => a - b);
    let current = -1;
    function select(place) {
      current = place;
      cursor.setAttribute("visibility", place < 0 ? "hidden" : "visible");
      if (place < 0) return hideTip();
      const at = x(epochs[place]), box = root.getBoundingClientRect();
      cursor.setAttribute("x1", at);
      cursor.setAttribute("x2", at);
      const texts = own.lines.map((seed) => [seed.seed, seed.values[seed.epochs.indexOf(epochs[place])]]).filter(([, value]) => value !== undefined && value !== null);
      showTip(box.left + at, box.top + 20, line(`epoch ${epochs[place]}`, true), ...texts.map(([seed, value]) => line(`seed ${seed}: ${short(value)}`)));
    }
    const at = (event) => {
      const [px] = within(root, event);
      select(epochs.reduce((best, epoch, place) => (Math.abs(x(epoch) - px) < Math.abs(x(epochs[best]) - px) ? place : best), 0));
    };
    pointed(root, at, () => select(-1));
    root.addEventListener("keydown", (event) => {
      const along = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!along) return;
      event.preventDefault();
      select(Math.max(0, Math.min(epochs.length - 1, current + along)));
    });
  }

  byId("training-tools").append(
    choice("variant", DATA.training.map((one) => one.title), (place) => { show(place); drawCharts(); }),
    saveButton("curves (CSV)", () => saveCsv("training_curves", ["variant", "stage", "term", "seed", "epoch", "value"],
      DATA.training.flatMap((variant) => variant.panels.flatMap((own) => own.lines.flatMap((seed) =>
        seed.epochs.map((epoch, row) => [variant.title, own.stage, own.term, seed.seed, epoch, seed.values[row]])))))));
  show(0);
}
