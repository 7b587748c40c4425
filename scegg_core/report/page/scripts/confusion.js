// Confusion of the unseen classes: a cell's share and its pictures.
const NAME_FONT = "12px system-ui, sans-serif";

function startConfusion() {
  const chart = byId("confusion-chart");
  let own, cells, current = null, canvas, layout;

  function choose(place) {
    own = DATA.confusions[place];
    const others = own.percent.some((row) => row.at(-1) > 0);
    cells = others ? own.percent : own.percent.map((row) => row.slice(0, -1));
    current = null;
    byId("confusion-title").textContent = own.title;
  }

  function draw(width) {
    const rows = cells.length, columns = cells[0].length, ratio = devicePixelRatio || 1;
    const wide = width >= 560, whole = 11.5 * columns, margin = wide ? widestName(0.3 * width) + 10 : 0; // whole: with a name for each
    const room = Math.min(width - margin, whole <= 900 ? Math.max(whole, 640) : 640);
    const pitch = Math.max(room / columns, 0.2), named = pitch >= 11;
    layout = { pitch, left: named ? margin : 0, top: named ? margin : 0 };
    const size = [layout.left + columns * pitch, layout.top + rows * pitch].map(Math.ceil);
    canvas = el("canvas", { width: size[0] * ratio, height: size[1] * ratio, style: `width:${size[0]}px;height:${size[1]}px`, tabindex: 0,
      role: "img", "aria-label": `confusion matrix of ${rows} unseen classes, ${own.title}; arrow keys move from cell to cell` });
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const low = colourNow("--cell-low").split(",").map(Number), high = colourNow("--cell-high").split(",").map(Number);
    context.imageSmoothingEnabled = pitch < 1;
    const small = pixels(low, high);
    context.drawImage(small, layout.left, layout.top, columns * pitch, rows * pitch);
    if (pitch < 2) enlarge(context, small);
    context.fillStyle = colourNow("--text");
    context.font = NAME_FONT.replace("12", Math.min(12, 0.87 * pitch)); // below a whole line, so that names do not touch
    if (layout.left) drawNames(context, rows, columns);
    if (columns > rows) context.fillRect(layout.left + rows * pitch - 0.5, layout.top, 1, rows * pitch);
    if (current) outline(context);
    pointed(canvas, hover, hideTip);
    canvas.addEventListener("click", (event) => select(cellAt(event)));
    canvas.addEventListener("keydown", step);
    const focused = document.activeElement?.parentElement === chart;
    chart.replaceChildren(canvas);
    if (focused) canvas.focus({ preventScroll: true });
  }

  /** How wide the names beside the cells are. */
  function widestName(most) {
    const context = el("canvas").getContext("2d");
    context.font = NAME_FONT;
    return Math.min(most, Math.max(...own.classes.map((label) => context.measureText(nameOf(label)).width), context.measureText(own.other).width));
  }

  /** A canvas with a pixel per cell. */
  function pixels(low, high) {
    const small = el("canvas", { width: cells[0].length, height: cells.length }), context = small.getContext("2d");
    const image = context.createImageData(small.width, small.height);
    let place = 0;
    for (const value of cells.flat()) {
      const share = Math.sqrt((value ?? 0) / 100);
      for (let channel = 0; channel < 3; channel++) image.data[place++] = low[channel] + share * (high[channel] - low[channel]);
      image.data[place++] = 255;
    }
    context.putImageData(image, 0, 0);
    return small;
  }

  /** Cells that are too small to be seen stand out if they hold a tenth of a row's images, the fullest above the others. */
  function enlarge(context, small) {
    const { data } = small.getContext("2d").getImageData(0, 0, small.width, small.height);
    const found = cells.flatMap((row, y) => row.map((value, x) => ({ value, x, y })).filter(({ value }) => value >= 10));
    for (const { x, y } of found.sort((a, b) => a.value - b.value)) {
      context.fillStyle = `rgb(${data.subarray(4 * (y * small.width + x)).slice(0, 3).join(",")})`;
      context.fillRect(layout.left + (x + 0.5) * layout.pitch - 1, layout.top + (y + 0.5) * layout.pitch - 1, 2, 2);
    }
  }

  function drawNames(context, rows, columns) {
    const cut = (text, most) => {
      while (context.measureText(text).width > most) text = text.slice(0, -2).trimEnd() + "…";
      return text;
    };
    context.textBaseline = "middle";
    for (let place = 0; place < columns; place++) {
      const name = place < rows ? nameOf(own.classes[place]) : own.other, middle = (place + 0.5) * layout.pitch;
      context.textAlign = "right";
      if (place < rows) context.fillText(cut(name, layout.left - 8), layout.left - 5, layout.top + middle);
      context.save();
      context.translate(layout.left + middle, layout.top - 5);
      context.rotate(-Math.PI / 2);
      context.textAlign = "left";
      context.fillText(cut(name, layout.top - 8), 0, 0);
      context.restore();
    }
  }

  function outline(context) {
    context.strokeStyle = colourNow("--series-3");
    context.lineWidth = 2;
    const side = Math.max(layout.pitch, 5);
    context.strokeRect(layout.left + current[1] * layout.pitch, layout.top + current[0] * layout.pitch, side, side);
  }

  function cellAt(event) {
    const [x, y] = within(canvas, event), column = Math.floor((x - layout.left) / layout.pitch), row = Math.floor((y - layout.top) / layout.pitch);
    return row >= 0 && column >= 0 && row < cells.length && column < cells[0].length ? [row, column] : null;
  }

  function said([row, column]) {
    const taken = column < cells.length ? nameOf(own.classes[column]) : own.other;
    return `${nameOf(own.classes[row])} → ${taken}: ${percent(cells[row][column])}`;
  }

  function picturesOf([row, column]) {
    const rest = column >= cells.length, found = [];
    DATA.pictures.labels.forEach((label, picture) => {
      const taken = own.predicted[picture];
      if (label === own.classes[row] && (rest ? taken >= 0 && !own.classes.includes(taken) : taken === own.classes[column])) found.push(picture);
    });
    return found;
  }

  function hover(event) {
    const cell = cellAt(event);
    if (!cell) return hideTip();
    showTip(event.clientX, event.clientY, line(said(cell), true), thumbnails(picturesOf(cell).slice(0, 6)));
  }

  function select(cell) {
    if (!cell) return;
    current = cell;
    again();
    const found = picturesOf(cell);
    byId("confusion-cell").replaceChildren(line(said(cell), true), line(`${found.length} pictures in this page`), ...[thumbnails(found.slice(0, 24))].filter(Boolean));
  }

  function step(event) {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Enter: [0, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    const keep = (value, count) => Math.max(0, Math.min(count - 1, value));
    const [row, column] = current ?? [0, 0];
    select([keep(row + move[0], cells.length), keep(column + move[1], cells[0].length)]);
  }

  choose(0);
  const again = drawn(chart, draw);
  if (DATA.confusions.length > 1) {
    byId("confusion-tools").append(choice("variant", DATA.confusions.map((one) => one.title), (place) => {
      choose(place);
      again();
    }));
  }
  byId("confusion-tools").append(saveButton("matrix (CSV)", () =>
    saveCsv("confusion", ["class", ...[...own.classes].map(wholeNameOf), own.other], own.percent.map((row, place) => [wholeNameOf(own.classes[place]), ...row]))));
  byId("confusion-cell").textContent = "Click a cell to keep its pictures here.";
}
