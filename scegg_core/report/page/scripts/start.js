// Fill the sections that the page has.
byId("results-csv").addEventListener("click", () => saveText("table", DATA.tables.csv));
for (const [id, start] of Object.entries({ tradeoff: startTradeoff, spaces: startSpaces, attention: startAttention, confusion: startConfusion,
  classes: startClasses, training: startTraining, describe: startDescribe })) {
  if (byId(id)) start();
}
document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
