// The attention gallery: each image in grey under its maps.
const VIRIDIS = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37]];

function viridis(share) {
  const place = Math.min(share * 9, 8.999), low = Math.floor(place), part = place - low;
  return VIRIDIS[low].map((value, channel) => Math.round(value + part * (VIRIDIS[low + 1][channel] - value)));
}

/** The photograph of a sheet, where there is one, and its maps side by side. */
function mapsOf(sheet) {
  const maps = el("div", { class: "maps" });
  if (sheet.image) maps.append(stack(sheet, null, "photograph", "", sheet.title));
  for (const map of sheet.maps) {
    const weights = map.weights.flat(), mean = weights.reduce((sum, value) => sum + value, 0) / weights.length;
    const peak = mean > 0 ? `peak ${(Math.max(...weights) / mean).toFixed(1)}× even` : "no weight";
    const note = map.score === null ? peak : `score ${map.score.toFixed(2)}, ${peak}`;
    maps.append(stack(sheet, map, map.title, note, `${map.title} on ${sheet.title}: ${note}`));
  }
  return maps;
}

function startAttention() {
  for (const sheet of DATA.sheets) byId("attention-gallery").append(el("article", { class: "sheet" }, el("h3", {}, sheet.title), mapsOf(sheet)));
  byId("attention-gallery").append(saveButton("maps (CSV)", () =>
    saveCsv("attention_maps", ["image", "class", "map", "score", "row", "column", "weight"], DATA.sheets.flatMap((sheet, place) => sheet.maps.flatMap((map) =>
      map.weights.flatMap((row, y) => row.map((weight, x) => [place + 1, sheet.title, map.title, map.score, y, x, weight])))))));
}

/** An image with a map over it, or the image alone. */
function stack(sheet, map, title, note, alt) {
  const holder = el("div", { class: "stack", style: `aspect-ratio: ${sheet.ratio}`, role: "img", "aria-label": alt });
  if (sheet.image) holder.append(el("img", { src: pictureOf(sheet.image), alt: "", class: map ? "grey" : null }));
  if (map) holder.append(overlay(map.weights, Boolean(sheet.image)));
  return el("figure", { class: "map" }, holder, el("figcaption", {}, title, note ? el("br") : null, note ? el("small", {}, note) : null));
}

/** A small canvas with a pixel per region, which the page enlarges smoothly. */
function overlay(weights, above) {
  const height = weights.length, width = weights[0].length, values = weights.flat();
  const low = Math.min(...values), span = Math.max(...values) - low;
  const canvas = el("canvas", { width, height, "aria-hidden": "true" });
  const context = canvas.getContext("2d"), pixels = context.createImageData(width, height);
  values.forEach((value, place) => {
    const level = span > 0 ? (value - low) / span : 0;
    pixels.data.set([...viridis(level), above ? 255 * (0.25 + 0.5 * level) : 255], 4 * place);
  });
  context.putImageData(pixels, 0, 0);
  return canvas;
}
