// Describe a class: sliders for its attributes, and the test pictures that fit best.
const SHOWN = 24;

function startDescribe() {
  const own = DATA.description, ranking = new Ranking(own);
  const values = new Float32Array(ranking.size), sliders = [], tiles = [], groups = new Map();
  const titled = (place) => (own.groups[place] === "attributes" ? own.attributes[place] : `${own.groups[place]}: ${own.attributes[place]}`);
  const shownValue = (value) => short(+(value * ranking.largest).toPrecision(3));
  let target = null, edited = false, latest;

  function makeSliders() {
    own.groups.forEach((group, place) => {
      if (!groups.has(group)) groups.set(group, { places: [], note: el("small") });
      groups.get(group).places.push(place);
    });
    for (const [group, { places, note }] of groups) {
      const rows = places.map((place) => {
        const input = el("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0, "aria-label": titled(place), oninput: () => {
          values[place] = Number(input.value);
          edited = true;
          said(place);
          show();
        } });
        const output = el("output", {}, "0");
        sliders[place] = { input, output, row: el("label", { class: "slider" }, own.attributes[place], input, output) };
        return sliders[place].row;
      });
      const node = el("details", groups.size === 1 ? { open: "" } : {}, el("summary", {}, group + " ", note), ...rows);
      byId("describe-sliders").append(node);
    }
  }

  function said(place) {
    sliders[place].output.textContent = shownValue(values[place]);
    const { note, places } = groups.get(own.groups[place]);
    const strongest = places.filter((other) => values[other] > 0.05).sort((a, b) => values[b] - values[a]).slice(0, 3);
    note.textContent = strongest.map((other) => own.attributes[other]).join(", ");
  }

  function take(strengths, label) {
    values.set(strengths);
    sliders.forEach(({ input }, place) => (input.value = values[place]));
    sliders.forEach(({ output }, place) => (output.textContent = shownValue(values[place])));
    for (const { places } of groups.values()) said(places[0]);
    [target, edited] = [label, false];
    for (const button of byId("describe-classes").children) button.setAttribute("aria-pressed", String(Number(button.value) === label));
    show();
  }

  function makeTiles() {
    for (let place = 0; place < Math.min(SHOWN, ranking.count); place++) {
      const tile = { image: el("img", { alt: "" }), none: el("div", { class: "none" }, "no picture"), name: el("b"), score: el("small"), reasons: el("span") };
      tile.node = el("li", {}, tile.image, tile.none, tile.name, tile.score, tile.reasons);
      tiles.push(tile);
      byId("describe-pictures").append(tile.node);
    }
  }

  function show() {
    latest = ranking.rank(values);
    tiles.forEach((tile, place) => fill(tile, latest.order[place]));
    byId("describe-score").replaceChildren(...summary());
  }

  function fill(tile, picture) {
    const label = DATA.pictures.labels[picture], thumbnail = DATA.pictures.thumbnails[picture];
    if (tile.picture !== picture) {
      tile.picture = picture;
      tile.image.hidden = !thumbnail;
      tile.none.hidden = Boolean(thumbnail);
      if (thumbnail) tile.image.src = pictureOf(thumbnail);
      tile.image.alt = `test picture of ${nameOf(label)}`;
      tile.name.textContent = nameOf(label);
      tile.node.dataset.picture = picture;
    }
    tile.node.classList.toggle("right", label === target);
    tile.score.textContent = `${DATA.classes.seen[label] ? "seen" : "unseen"}${label === target ? ", right" : ""}; score ${latest.scores[picture].toFixed(2)}`;
    tile.reasons.textContent = ranking.reasons(picture, latest.vector).map(titled).join("; ");
  }

  function summary() {
    if (target === null) return ["A description of your own: the best pictures of all test classes."];
    const right = latest.order.slice(0, tiles.length).filter((picture) => DATA.pictures.labels[picture] === target).length;
    const all = DATA.pictures.labels.filter((label) => label === target).length, chance = (tiles.length * all) / ranking.count;
    const most = Math.min(tiles.length, all);
    return [el("b", {}, `${right} of the ${tiles.length} shown are ${nameOf(target)}`),
      ` (${percent((100 * right) / tiles.length)}; ${most} could be, ${chance.toFixed(1)} would be by chance)${edited ? "; its description was changed" : ""}.`];
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

  makeSliders();
  makeTiles();
  makeChoices();
  byId("describe-mean").addEventListener("click", mean);
  byId("describe-clear").addEventListener("click", () => take(new Float32Array(ranking.size), null));
  byId("describe-search").addEventListener("input", (event) => search(event.target.value));
  byId("describe-csv").addEventListener("click", () => saveCsv("description", ["attribute", "strength"], own.attributes.map((_, place) => [titled(place), shownValue(values[place])])));
  byId("describe-ranking-csv").addEventListener("click", () => saveCsv("ranking", ["rank", "image", "class", "score"],
    latest.order.map((picture, place) => [place + 1, DATA.pictures.paths[picture], nameOf(DATA.pictures.labels[picture]), latest.scores[picture].toFixed(5)])));
  const first = DATA.classes.seen.indexOf(false);
  take(ranking.strengthsOf(first), first);
}
