// Describe a class: sliders for its attributes, and the test pictures that fit best.
const SHOWN = 24;

function startDescribe() {
  const own = DATA.description, ranking = new Ranking(own);
  const values = ranking.values, sliders = [], tiles = new Map(), groups = new Map();
  const titled = (place) => (own.groups[place] === "attributes" ? own.attributes[place] : `${own.groups[place]}: ${own.attributes[place]}`);
  const shownValue = (value) => short(+(value * ranking.largest).toPrecision(3));
  let target = null, edited = false, shown = [], waiting = 0;

  function makeSliders() {
    own.groups.forEach((group, place) => {
      if (!groups.has(group)) groups.set(group, { places: [], note: el("small") });
      groups.get(group).places.push(place);
    });
    for (const [group, { places, note }] of groups) {
      const rows = places.map((place) => {
        const input = el("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0, "aria-label": titled(place), oninput: () => {
          ranking.change(place, Number(input.value));
          edited = true;
          said(place);
          waiting ||= requestAnimationFrame(show); // once for all that changes before the next picture of the screen
        } });
        const output = el("output", {}, "0");
        sliders[place] = { input, output, row: el("label", { class: "slider" }, el("span", {}, own.attributes[place]), input, output) };
        return sliders[place].row;
      });
      const node = el("details", groups.size === 1 ? { open: "" } : {}, el("summary", {}, group + " ", note), ...rows);
      byId("describe-sliders").append(node);
    }
  }

  function said(place) {
    say(sliders[place].output, shownValue(values[place]));
    const { note, places } = groups.get(own.groups[place]);
    const strongest = places.filter((other) => values[other] > 0.05).sort((a, b) => values[b] - values[a]).slice(0, 3);
    say(note, strongest.map((other) => own.attributes[other]).join(", "));
  }

  function take(strengths, label) {
    ranking.take(strengths);
    sliders.forEach(({ input, output }, place) => {
      input.value = values[place];
      say(output, shownValue(values[place]));
    });
    for (const { places } of groups.values()) said(places[0]);
    [target, edited] = [label, false];
    for (const button of byId("describe-classes").children) button.setAttribute("aria-pressed", String(Number(button.value) === label));
    show();
  }

  function show() {
    waiting = 0;
    const scores = ranking.scores(), leads = ranking.leads(), list = byId("describe-pictures");
    shown = best(scores, SHOWN);
    shown.forEach((picture, place) => {
      const tile = tileOf(picture);
      if (list.children[place] !== tile.node) list.insertBefore(tile.node, list.children[place] ?? null);
      fill(tile, picture, scores[picture], ranking.reasons(picture, leads));
    });
    while (list.children.length > shown.length) list.lastChild.remove();
    byId("describe-score").replaceChildren(...summary());
  }

  /** What shows a picture: made once, since an image that is made anew is decoded anew. */
  function tileOf(picture) {
    if (!tiles.has(picture)) {
      const label = DATA.pictures.labels[picture], thumbnail = DATA.pictures.thumbnails[picture];
      const image = thumbnail ? el("img", { src: pictureOf(thumbnail), alt: `test picture of ${nameOf(label)}` }) : el("div", { class: "none" }, "no picture");
      const [score, reasons] = [el("small"), el("span")];
      tiles.set(picture, { score, reasons, node: el("li", { "data-picture": picture }, image, el("b", {}, nameOf(label)), score, reasons) });
    }
    return tiles.get(picture);
  }

  function fill({ node, score, reasons }, picture, value, speaking) {
    const label = DATA.pictures.labels[picture], right = label === target;
    node.classList.toggle("right", right);
    say(score, `${DATA.classes.seen[label] ? "seen" : "unseen"}${right ? ", right" : ""} · ${value.toFixed(2).replace("-0.00", "0.00")}`);
    say(reasons, speaking.map(titled).join("; "));
  }

  function summary() {
    if (target === null) return ["A description of your own: the best pictures of all test classes."];
    const right = shown.filter((picture) => DATA.pictures.labels[picture] === target).length;
    const all = DATA.pictures.labels.filter((label) => label === target).length, chance = (shown.length * all) / ranking.count;
    const most = Math.min(shown.length, all);
    return [el("b", {}, `${right} of the ${shown.length} shown are ${nameOf(target)}`),
      ` (${percent((100 * right) / shown.length)}; ${most} could be, ${chance.toFixed(1)} would be by chance)${edited ? "; its description was changed" : ""}.`];
  }

  function search(text) {
    const words = text.toLowerCase().split(/[\s,:]+/).filter(Boolean);
    sliders.forEach(({ row }, place) => (row.hidden = !words.every((word) => titled(place).toLowerCase().includes(word))));
    for (const group of byId("describe-sliders").children) {
      group.hidden = [...group.querySelectorAll(".slider")].every((row) => row.hidden);
      if (words.length) group.open = !group.hidden;
    }
  }

  function mean() {
    const [first, second] = ["describe-first", "describe-second"].map((id) => ranking.strengthsOf(Number(byId(id).value)));
    take(first.map((value, place) => (value + second[place]) / 2), null);
  }

  function makeChoices() {
    const labels = DATA.classes.names.map((_, label) => label);
    for (const label of labels.filter((one) => !DATA.classes.seen[one]))
      byId("describe-classes").append(el("button", { type: "button", value: label, "aria-pressed": "false", onclick: () => take(ranking.strengthsOf(label), label) }, nameOf(label)));
    const ordered = [...labels].sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
    for (const id of ["describe-first", "describe-second"]) byId(id).append(...ordered.map((label) => el("option", { value: label }, nameOf(label))));
    byId("describe-second").selectedIndex = Math.min(1, ordered.length - 1);
  }

  /** Keep the height that the pictures once had: a page whose height changes is painted anew, and jumps. */
  function keepHeight() {
    const list = byId("describe-pictures");
    let width = 0, height = 0;
    new ResizeObserver(([{ contentRect: box }]) => {
      height = Math.round(box.width) === width ? Math.max(height, box.height) : 0;
      width = Math.round(box.width);
      list.style.minHeight = height ? `${height}px` : "";
    }).observe(list);
  }

  makeSliders();
  makeChoices();
  keepHeight();
  byId("describe-mean").addEventListener("click", mean);
  byId("describe-clear").addEventListener("click", () => take(new Float32Array(ranking.size), null));
  byId("describe-search").addEventListener("input", (event) => search(event.target.value));
  byId("describe-csv").addEventListener("click", () => saveCsv("description", ["attribute", "strength"], own.attributes.map((_, place) => [titled(place), shownValue(values[place])])));
  byId("describe-ranking-csv").addEventListener("click", () => {
    const scores = ranking.scores();
    saveCsv("ranking", ["rank", "image", "class", "score"], best(scores, ranking.count).map((picture, place) =>
      [place + 1, DATA.pictures.paths[picture], nameOf(DATA.pictures.labels[picture]), scores[picture].toFixed(5)]));
  });
  const first = DATA.classes.seen.indexOf(false);
  take(ranking.strengthsOf(first), first);
}
