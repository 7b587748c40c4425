// Training curves of a variant: a panel per term, a line per seed.
function startTraining() {
  function show(place) {
    const panels = DATA.training[place].panels, looks = looksOf(panels);
    byId("training-legend").replaceChildren(...[...looks].map(([seed, look]) => el("span", {}, key(look), ` seed ${seed}`)));
    byId("training-panels").replaceChildren(...panels.map((own) => panel(own, looks)));
  }

  /** Colour and dashes of each seed, the same in the legend and in all panels, also where a panel lacks seeds. */
  function looksOf(panels) {
    const seeds = [...new Set(panels.flatMap((own) => own.lines.map((run) => run.seed)))].sort((a, b) => a - b);
    return new Map(seeds.map((seed, row) => [seed, { stroke: seriesColour(row), "stroke-dasharray": DASHES[row % 4] }]));
  }

  const key = (look) => svg("svg", { width: 26, height: 10, "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 26, y1: 5, y2: 5, "stroke-width": 2, ...look }));

  function panel(own, looks) {
    const chart = el("div", { class: "chart" });
    const warnings = el("div", {}, ...own.alarms.map((text) => el("p", { class: "warning" }, `⚠ ${text}`)));
    const node = el("figure", {}, el("h3", {}, `${own.stage}: ${own.term}`), chart, warnings);
    drawn(chart, (width) => chart.replaceChildren(plot(own, width, looks)));
    return node;
  }

  function plot(own, width, looks) {
    const height = 170, box = { left: 52, right: width - 18, top: 8, bottom: height - 24 };
    const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "img", "aria-label": `${own.stage}, ${own.term} over epochs, ${own.lines.length} seeds` });
    const values = own.lines.flatMap((seed) => seed.values).filter((value) => value !== null), epochs = own.lines.flatMap((seed) => seed.epochs);
    if (!values.length) return el("p", {}, "no finite value");
    const [low, high] = [Math.min(...values), Math.max(...values)], air = (high - low || Math.abs(high) || 1) * 0.05;
    const [first, last] = [Math.min(...epochs), Math.max(...epochs)];
    const [x, y] = axes(root, box, [first, Math.max(last, first + 1)], [low - air, high + air], ["", ""], [5, 4], 1);
    own.lines.forEach((seed) => {
      const look = looks.get(seed.seed);
      const kept = seed.epochs.map((_, row) => row).filter((row) => seed.values[row] !== null);
      const points = [kept.map((row) => x(seed.epochs[row])), kept.map((row) => y(seed.values[row]))];
      root.append(svg("path", { d: path(...points), fill: "none", "stroke-width": 1.6, ...look }));
      if (kept.length < 3) points[0].forEach((px, row) => root.append(svg("circle", { cx: px, cy: points[1][row], r: 2.5, fill: look.stroke })));
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
    saveButton("curves as drawn (CSV)", () => saveCsv("training_curves", ["variant", "stage", "term", "seed", "epoch", "value"],
      DATA.training.flatMap((variant) => variant.panels.flatMap((own) => own.lines.flatMap((seed) =>
        seed.epochs.map((epoch, row) => [variant.title, own.stage, own.term, seed.seed, epoch, seed.values[row]])))))));
  show(0);
}
