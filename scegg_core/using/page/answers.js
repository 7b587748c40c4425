// Predictions: a card per picture, which can be chosen by class, ordered and searched.
const AT_ONCE = 48; // cards that are made at a time

const named = (label) => nameOf(label) + (DATA.classes.seen[label] ? "" : " (unseen)");
const share = (value) => percent(100 * value);

function startAnswers() {
  const all = DATA.answers.map((_, place) => place), list = byId("answers-list"), cards = new Map();
  const orders = {
    "by name": () => 0,
    "least sure first": (a, b) => DATA.answers[a].chances[0] - DATA.answers[b].chances[0],
    "surest first": (a, b) => DATA.answers[b].chances[0] - DATA.answers[a].chances[0],
  };
  const taken = new Map();
  for (const { classes } of DATA.answers) taken.set(classes[0], (taken.get(classes[0]) ?? 0) + 1);
  const labels = [...taken.keys()].sort((a, b) => nameOf(a).localeCompare(nameOf(b), "en", { numeric: true }));
  let label = null, order = "by name", text = "", most = AT_ONCE;

  function bars(kind, rows) {
    return el("ol", { class: `bars ${kind}` }, ...rows.map(([name, value]) =>
      el("li", { style: `--share: ${100 * value}%` }, el("span", { class: "name" }, name), el("span", { class: "value" }, share(value)))));
  }

  function cardOf(place) {
    if (cards.has(place)) return cards.get(place);
    const own = DATA.answers[place];
    const card = el("li", {}, el("img", { src: pictureOf(own.thumbnail), alt: `picture ${own.name}, taken for ${nameOf(own.classes[0])}` }), el("h3", {}, ...titleOf(own.name)),
      bars("classes", own.classes.map((one, rank) => [named(one), own.chances[rank]])));
    if (own.reasons.length) card.append(el("h4", {}, `speaks for ${nameOf(own.classes[0])}`), bars("reasons", own.reasons));
    if (own.sheet) card.append(attentionButton(card, own.sheet));
    cards.set(place, card);
    return card;
  }

  /** A picture's name, that of its folder in small letters before it; lines end where names have a joint. */
  function titleOf(name) {
    const cut = name.lastIndexOf("/") + 1, jointed = (text) => text.split(/(?<=[/_])/).flatMap((part) => [part, el("wbr")]);
    return cut ? [el("small", {}, ...jointed(name.slice(0, cut))), ...jointed(name.slice(cut))] : jointed(name);
  }

  /** A button that shows where the attributes look, and hides it again. */
  function attentionButton(card, sheet) {
    const button = el("button", { type: "button", "aria-expanded": "false", onclick: () => {
      const open = card.querySelector(".maps") === null;
      button.setAttribute("aria-expanded", String(open));
      if (open) card.append(mapsOf(sheet));
      else card.querySelector(".maps").remove();
    } }, "attention");
    return button;
  }

  function show() {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const found = all.filter((place) => (label === null || DATA.answers[place].classes[0] === label) && words.every((word) => DATA.answers[place].name.toLowerCase().includes(word)));
    const shown = found.sort(orders[order]).slice(0, most);
    list.replaceChildren(...shown.map(cardOf));
    byId("answers-count").textContent = `${shown.length} of ${found.length} pictures`;
    byId("answers-more").hidden = shown.length === found.length;
    byId("answers-more").textContent = `show ${Math.min(AT_ONCE, found.length - shown.length)} more`;
  }

  function chosen(change) {
    change();
    most = AT_ONCE;
    show();
  }

  function save() {
    const ranks = DATA.answers[0].classes.map((_, rank) => rank + 1);
    const rows = DATA.answers.map((own) => [own.name, ...ranks.flatMap((rank) => [wholeNameOf(own.classes[rank - 1]), own.chances[rank - 1], DATA.classes.seen[own.classes[rank - 1]]]),
      own.reasons.map(([name, part]) => `${name} (${Math.round(100 * part)}%)`).join("; "), ""]);
    const none = ranks.flatMap(() => ["", "", ""]);
    saveCsv("predictions", ["image", ...ranks.flatMap((rank) => [`class_${rank}`, `probability_${rank}`, `seen_${rank}`]), "attributes", "problem"],
      [...rows, ...DATA.left_out.map(([name, why]) => [name, ...none, "", why])]);
  }

  byId("answers-tools").append(
    choice("first class", [`all: ${all.length}`, ...labels.map((one) => `${named(one)}: ${taken.get(one)}`)],
      (place) => chosen(() => (label = place ? labels[place - 1] : null))),
    choice("order", Object.keys(orders), (place) => chosen(() => (order = Object.keys(orders)[place]))),
    el("label", {}, "search names", el("input", { type: "search", id: "answers-search", oninput: (event) => chosen(() => (text = event.target.value)) })),
    saveButton("table (CSV)", save));
  byId("answers-more").addEventListener("click", () => {
    const first = most;
    most += AT_ONCE;
    show();
    list.children[first].tabIndex = -1;
    list.children[first].focus();
  });
  show();
}

startAnswers();
