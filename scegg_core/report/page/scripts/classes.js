// Accuracy of every class: a table that is sorted by the column that is clicked.
function startClasses() {
  const { columns, rows } = DATA.per_class;
  const at = (name) => columns.indexOf(name), shownColumns = columns.filter((name) => !["variant", "title", "task", "seeds"].includes(name));
  const titles = [...new Set(rows.map((row) => row[at("title")]))], tasks = [...new Set(rows.map((row) => row[at("task")]))];
  let title = titles[0], task = tasks[0], sorted = { column: "accuracy", up: true };
  const chosen = () => rows.filter((row) => row[at("title")] === title && row[at("task")] === task);
  const heads = { accuracy: "accuracy (%)", taken_for: "taken for it (%)" };
  const shown = new Map(DATA.classes.names.map((name, label) => [name, nameOf(label)]));
  const text = (value) => shown.get(value) ?? { true: "yes", false: "no" }[String(value)] ?? String(value);

  function compare(first, second) {
    const [a, b] = [first[at(sorted.column)], second[at(sorted.column)]];
    const order = typeof a === "number" && typeof b === "number" ? a - b : text(a).localeCompare(text(b), "en", { numeric: true });
    return sorted.up ? order : -order;
  }

  function head(name) {
    const mine = sorted.column === name, number = typeof rows[0][at(name)] === "number";
    const sort = () => {
      sorted = { column: name, up: mine ? !sorted.up : !number };
      show();
      byId("classes-table").querySelector(`[data-column="${name}"]`).focus();
    };
    return el("th", { class: number ? "number" : null, "aria-sort": mine ? (sorted.up ? "ascending" : "descending") : "none" },
      el("button", { type: "button", "data-column": name, onclick: sort }, (heads[name] ?? name.replaceAll("_", " ")) + (mine ? (sorted.up ? " ▲" : " ▼") : "")));
  }

  function cell(row, name) {
    const value = row[at(name)], number = typeof value === "number";
    const bar = name === "accuracy" ? { class: "number bar", style: `--share: ${value}%` } : { class: number ? "number" : null };
    return el("td", bar, number && name in heads ? value.toFixed(1) : text(value));
  }

  function show() {
    const body = chosen().sort(compare).map((row) => el("tr", {}, ...shownColumns.map((name) => cell(row, name))));
    byId("classes-table").replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, ...shownColumns.map(head))), el("tbody", {}, ...body)));
  }

  byId("classes-tools").append(
    choice("variant", titles, (place) => { title = titles[place]; show(); }),
    choice("classes that compete", tasks.map((name) => (name === "GZSL" ? "all (GZSL)" : "unseen alone (CZSL)")), (place) => { task = tasks[place]; show(); }),
    saveButton("all rows (CSV)", () => saveCsv("per_class", columns, rows)));
  show();
}
