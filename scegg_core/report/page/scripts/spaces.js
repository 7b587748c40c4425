// t-SNE of the spaces side by side; a class that is clicked is lit up in all of them.
const GROUP_NAMES = ["real, seen class", "real, unseen class", "synthetic, unseen class"];

function startSpaces() {
  const spaces = DATA.spaces, panels = [];
  const labels = [...new Set(spaces.flatMap((space) => space.labels))].sort((a, b) => a - b);
  const unseen = labels.filter((label) => !DATA.classes.seen[label]), seen = labels.filter((label) => DATA.classes.seen[label]);
  const place = new Map([...unseen.map((label, row) => [label, row]), ...seen.map((label, row) => [label, row])]);
  const buttons = new Map();
  let lit = -1;

  function light(label) {
    lit = lit === label ? -1 : label;
    for (const [own, button] of buttons) button.setAttribute("aria-pressed", String(own === lit));
    panels.forEach((panel) => panel.again());
  }

  for (const space of spaces) {
    const canvas = el("canvas", { tabindex: 0, role: "img", "aria-label":
      `t-SNE of ${space.title}: ${space.x.length} features of ${labels.length} classes; arrow keys read point by point` });
    const holder = el("div", {}, el("h3", {}, space.title), canvas);
    byId("spaces-charts").append(holder);
    panels.push(startPanel(space, canvas, holder));
  }

  function startPanel(space, canvas, holder) {
    const panel = { points: [], current: -1 };
    const spans = [space.x, space.y].map((values) => [Math.min(...values), Math.max(...values)]);

    function draw(width) {
      const size = Math.min(width, 560), ratio = devicePixelRatio || 1, context = canvas.getContext("2d");
      Object.assign(canvas, { width: size * ratio, height: size * ratio });
      Object.assign(canvas.style, { width: `${size}px`, height: `${size}px` });
      context.scale(ratio, ratio);
      const x = scale(...spans[0], 12, size - 12), y = scale(...spans[1], size - 12, 12);
      const colours = Array.from({ length: 10 }, (_, series) => colourNow(`--series-${series}`));
      panel.points = space.x.map((value, row) => ({ x: x(value), y: y(space.y[row]), row }));
      const back = panel.points.filter(({ row }) => space.labels[row] !== lit), front = panel.points.filter(({ row }) => space.labels[row] === lit);
      for (const point of [...back, ...front]) drawPoint(context, point, colours[place.get(space.labels[point.row]) % 10]);
      if (panel.current >= 0) ring(context, panel.points[panel.current]);
    }

    function drawPoint(context, { x, y, row }, colour) {
      const group = space.groups[row], mine = space.labels[row] === lit;
      context.globalAlpha = lit < 0 ? [0.45, 0.85, 0.85][group] : mine ? 1 : 0.1;
      context.strokeStyle = context.fillStyle = colour;
      const size = mine ? 5 : 3.4;
      context.beginPath();
      if (group === 0) context.moveTo(x, y - size), context.lineTo(x + size, y + size * 0.8), context.lineTo(x - size, y + size * 0.8);
      else if (group === 1) context.arc(x, y, size * 0.9, 0, 7);
      else context.moveTo(x - size, y - size), context.lineTo(x + size, y + size), context.moveTo(x - size, y + size), context.lineTo(x + size, y - size);
      if (group === 2) context.lineWidth = 1.6, context.stroke();
      else context.fill();
    }

    function ring(context, point) {
      context.globalAlpha = 1;
      context.strokeStyle = colourNow("--text");
      context.lineWidth = 2;
      context.beginPath();
      context.arc(point.x, point.y, 8, 0, 7);
      context.stroke();
    }

    function select(current) {
      if (current === panel.current) return;
      panel.current = current;
      panel.again();
      if (current < 0) return hideTip();
      const { x, y, row } = panel.points[current], box = canvas.getBoundingClientRect();
      showTip(box.left + x, box.top + y, line(nameOf(space.labels[row]), true), line(GROUP_NAMES[space.groups[row]]), thumbnails([space.pictures[row]]));
    }

    pointed(canvas, (event) => select(nearest(panel.points, ...within(canvas, event), 18)), () => select(-1));
    canvas.addEventListener("click", (event) => {
      const found = nearest(panel.points, ...within(canvas, event), 18);
      light(found < 0 ? lit : space.labels[found]);
    });
    canvas.addEventListener("keydown", (event) => {
      const along = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Enter" && panel.current >= 0) light(space.labels[panel.current]);
      if (event.key === "Escape" && lit >= 0) light(lit);
      if (!along) return;
      event.preventDefault();
      const stops = panel.points.filter(({ row }) => lit < 0 || space.labels[row] === lit).map(({ row }) => row);
      select(stops[(stops.indexOf(panel.current) + along + stops.length) % stops.length]);
    });
    panel.again = drawn(holder, draw);
    return panel;
  }

  for (const label of [...unseen, ...seen]) {
    const kind = DATA.classes.seen[label] ? "up" : "circle";
    const key = svg("svg", { width: 12, height: 12, "aria-hidden": "true" }, mark(kind, 6, 6, 4.2, { fill: seriesColour(place.get(label)) }));
    const button = el("button", { type: "button", "aria-pressed": "false", onclick: () => light(label) }, key, nameOf(label));
    buttons.set(label, button);
    byId("spaces-legend").append(button);
  }
  byId("spaces-legend").append(saveButton("points (CSV)", () =>
    saveCsv("tsne_points", ["space", "x", "y", "class", "group", "image"], spaces.flatMap((space) => space.x.map((x, row) =>
      [space.title, x, space.y[row], wholeNameOf(space.labels[row]), GROUP_NAMES[space.groups[row]], DATA.pictures.paths[space.pictures[row]]])))));
}
