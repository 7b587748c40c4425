// What all sections share: the data, making elements, the box that says what is under the pointer, downloads.
const DATA = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

function made(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const el = (tag, attributes = {}, ...children) => made(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  made(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const pictureOf = (thumbnail) => "data:image/webp;base64," + thumbnail;
const nameOf = (label) => DATA.classes.shown[label];
const wholeNameOf = (label) => DATA.classes.names[label]; // in CSV files, as in all others
const percent = (value) => (value === null ? "–" : value.toFixed(1) + " %");
const short = (value) => (Math.abs(value) >= 1e4 || (value && Math.abs(value) < 1e-3) ? value.toExponential(2) : String(+value.toPrecision(4)));
const seriesColour = (place) => `var(--series-${place % 10})`;
const colourNow = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The thumbnails of pictures (rows of DATA.pictures), each with an alternative text. */
function thumbnails(rows) {
  const shown = rows.filter((row) => row >= 0 && DATA.pictures.thumbnails[row]);
  const images = shown.map((row) =>
    el("img", { src: pictureOf(DATA.pictures.thumbnails[row]), alt: `test picture of ${nameOf(DATA.pictures.labels[row])}` }));
  return images.length ? el("div", { class: "thumbs" }, ...images) : null;
}

/** Show `nodes` beside the point (x, y) of the window, inside it. */
function showTip(x, y, ...nodes) {
  const tip = byId("tip");
  tip.replaceChildren(...nodes.filter((node) => node !== null));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
  const top = Math.min(y + 12, innerHeight - box.height - 4);
  tip.style.transform = `translate(${Math.max(4, Math.min(left, innerWidth - box.width - 4))}px, ${Math.max(4, top)}px)`;
}

function hideTip() {
  byId("tip").hidden = true;
}

/** Call `at(event)` where `node` is pointed at or tapped, and `gone()` when that is over; what a finger tapped stays until the next tap. */
function pointed(node, at, gone) {
  for (const name of ["pointermove", "pointerdown"]) node.addEventListener(name, at);
  node.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && gone());
  for (const name of ["pointercancel", "blur"]) node.addEventListener(name, gone);
}

/** Let `node`, which holds no other, say `text`; nothing is drawn anew where it says so already. */
function say(node, text) {
  if (!node.firstChild) node.append(text);
  else if (node.firstChild.data !== text) node.firstChild.data = text;
}

const line = (text, strong = false) => el(strong ? "b" : "div", strong ? { style: "display:block" } : {}, text);

/** Offer `rows` (lists) under the head `columns` as a CSV file. */
function saveCsv(name, columns, rows) {
  const cell = (value) => (/[",\n\r]/.test(String(value ?? "")) ? `"${String(value).replaceAll('"', '""')}"` : String(value ?? ""));
  saveText(name, [columns, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n");
}

function saveText(name, text) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: `${name}.csv` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const saveButton = (text, save) => el("button", { type: "button", class: "save", onclick: save }, text);

/** A labelled choice of one of `names`; `chosen(place)` is called at once and at every change. */
function choice(label, names, chosen) {
  const select = el("select", { onchange: () => chosen(select.selectedIndex) }, ...names.map((name) => el("option", {}, name)));
  return el("label", {}, label, select);
}

const PAPER = 690; // most pixels of a chart in print, where it is not drawn as wide as the window is
let charts = [];

/** Call `draw(width)` at the next `drawCharts`, and again when the width of `place` or the colours change; return what draws again. */
function drawn(place, draw) {
  const chart = { place, width: 0, again: (most = Infinity) => chart.width && draw(Math.min(chart.width, most)) };
  charts.push(chart);
  new ResizeObserver(() => {
    if (place.clientWidth === chart.width) return;
    chart.width = place.clientWidth;
    chart.again();
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.again());
  return () => chart.again();
}

/** Draw the charts that are new. All widths are asked for first: after a drawing, the page is laid out for every answer. */
function drawCharts() {
  charts = charts.filter(({ place }) => place.isConnected);
  const fresh = charts.filter(({ width }) => !width);
  for (const chart of fresh) chart.width = chart.place.clientWidth;
  for (const chart of fresh) chart.again();
}

/** Draw all charts for paper, in light colours, or for the window again. */
function drawForPaper(paper) {
  document.documentElement.classList.toggle("paper", paper);
  for (const chart of charts) chart.again(paper ? PAPER : Infinity);
}
addEventListener("beforeprint", () => drawForPaper(true));
addEventListener("afterprint", () => drawForPaper(false));

/** What each word of half precision stands for. */
function halves() {
  const values = new Float32Array(0x10000);
  for (let word = 0; word < 0x8000; word++) {
    const exponent = word >> 10, fraction = word & 1023;
    values[word] = exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
    values[word | 0x8000] = -values[word];
  }
  return values;
}

/** Numbers of half precision, packed as base64, as a Float32Array; `known` are those of `halves`. */
function unpackHalf(packed, known) {
  const text = atob(packed.half), values = new Float32Array(text.length / 2);
  for (let place = 0; place < values.length; place++) values[place] = known[text.charCodeAt(2 * place) | (text.charCodeAt(2 * place + 1) << 8)];
  return values;
}
