// Describe a class: sliders for its attributes, and the test pictures that fit best.
const SHOWN = 24;

function startDescribe() {
  const own = DATA.description, ranking = new Ranking(own);
  const values = ranking.values, sliders = [], images = new Map(), groups = new Map();
  const titled = (place) => (own.groups[place] === "attributes" ? own.attributes[place] : `${own.groups[place]}: ${own.attributes[place]}`);
  const shownValue = (value) => short(+(value * ranking.largest).toPrecision(3));
  const tiles = Array.from({ length: Math.min(SHOWN, ranking.count) }, makeTile);
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
    const scores = ranking.scores(), leads = ranking.leads();
    shown = best(scores, SHOWN);
    shown.forEach((picture, place) => fill(tiles[place], picture, scores[picture], ranking.reasons(picture, leads)));
    tell(...summary());
  }

  /** A place of the answers. Places stay and what is in them changes: each is a box of a fixed size, outside of which nothing is laid out again. */
  function makeTile() {
    const [holder, name, score, reasons] = [el("div", { class: "photograph" }), el("b"), el("small"), el("span")];
    return { picture: null, holder, name, score, reasons, node: el("li", {}, holder, name, score, reasons) };
  }

  /** What shows a picture: made once, since an image that is made anew is decoded anew. */
  function imageOf(picture) {
    if (!images.has(picture)) {
      const thumbnail = DATA.pictures.thumbnails[picture];
      images.set(picture, thumbnail ? el("img", { src: pictureOf(thumbnail), alt: `test picture of ${nameOf(DATA.pictures.labels[picture])}` }) : el("div", { class: "none" }, "no picture"));
    }
    return images.get(picture);
  }

  function fill(tile, picture, value, speaking) {
    const label = DATA.pictures.labels[picture], right = label === target;
    if (tile.picture !== picture) {
      tile.picture = picture;
      tile.node.dataset.picture = picture;
      tile.holder.replaceChildren(imageOf(picture));
      say(tile.name, nameOf(label));
    }
    tile.node.classList.toggle("right", right);
    say(tile.score, `${DATA.classes.seen[label] ? "seen" : "unseen"}${right ? ", right" : ""} · ${value.toFixed(2).replace("-0.00", "0.00")}`);
    say(tile.reasons, speaking.map(titled).join("; "));
  }

  function tell(strong, text) {
    say(byId("describe-score").firstElementChild, strong);
    say(byId("describe-score").lastElementChild, text);
  }

  function summary() {
    if (target === null) return ["", "A description of your own: the best pictures of all test classes."];
    const right = shown.filter((picture) => DATA.pictures.labels[picture] === target).length;
    const all = DATA.pictures.labels.filter((label) => label === target).length, chance = (shown.length * all) / ranking.count;
    const most = Math.min(shown.length, all);
    return [`${right} of the ${shown.length} shown are ${nameOf(target)}`,
      ` (${percent((100 * right) / shown.length)}; ${most} could be, ${short(+chance.toPrecision(2))} would be by chance)${edited ? "; its description was changed" : ""}.`];
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

  /** Make room in every place for the longest name and three long reasons, those of most places; about 17 letters are a line, and a line is lost where words break. */
  function makePlaces() {
    const lines = (length) => Math.ceil(length / 17), lengths = own.attributes.map((_, place) => titled(place).length).sort((a, b) => a - b);
    const longest = Math.max(...DATA.classes.names.map((name) => name.length)), long = lengths[Math.floor(0.85 * lengths.length)];
    byId("describe-pictures").style.setProperty("--lines", Math.min(8, 1 + lines(longest) + lines(3 * (long + 2))));
    byId("describe-pictures").append(...tiles.map(({ node }) => node));
  }

  function makeChoices() {
    const labels = DATA.classes.names.map((_, label) => label);
    for (const label of labels.filter((one) => !DATA.classes.seen[one]))
      byId("describe-classes").append(el("button", { type: "button", value: label, "aria-pressed": "false", onclick: () => take(ranking.strengthsOf(label), label) }, nameOf(label)));
    const order = new Intl.Collator("en", { numeric: true }).compare, ordered = [...labels].sort((a, b) => order(nameOf(a), nameOf(b)));
    for (const id of ["describe-first", "describe-second"]) byId(id).append(...ordered.map((label) => new Option(nameOf(label), label)));
    byId("describe-second").selectedIndex = Math.min(1, ordered.length - 1);
  }

  makeSliders();
  makeChoices();
  makePlaces();
  byId("describe-mean").addEventListener("click", mean);
  byId("describe-clear").addEventListener("click", () => take(new Float32Array(ranking.size), null));
  byId("describe-search").addEventListener("input", (event) => search(event.target.value));
  byId("describe-csv").addEventListener("click", () => saveCsv("description", ["attribute", "strength"], own.attributes.map((_, place) => [titled(place), shownValue(values[place])])));
  byId("describe-ranking-csv").addEventListener("click", () => {
    const scores = ranking.scores();
    saveCsv("ranking", ["rank", "image", "class", "score"], best(scores, ranking.count).map((picture, place) =>
      [place + 1, DATA.pictures.paths[picture], wholeNameOf(DATA.pictures.labels[picture]), scores[picture].toFixed(5)]));
  });
  const first = DATA.classes.seen.indexOf(false);
  take(ranking.strengthsOf(first), first);
}
