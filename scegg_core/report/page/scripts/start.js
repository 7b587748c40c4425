// Fill the sections that the page has.
byId("results-csv").addEventListener("click", () => saveText("table", DATA.tables.csv));
for (const [id, start] of Object.entries({ tradeoff: startTradeoff, spaces: startSpaces, attention: startAttention, confusion: startConfusion,
  classes: startClasses, training: startTraining, describe: startDescribe })) {
  if (byId(id)) start();
}
drawCharts();

/** Pass over what is outside the window, but not before its height is known: a link would lead elsewhere. */
function settle() {
  document.body.classList.remove("drawn");
  requestAnimationFrame(() => requestAnimationFrame(() => document.body.classList.add("drawn")));
}
let settledAt = innerWidth;
addEventListener("resize", () => {
  if (settledAt === innerWidth) return;
  settledAt = innerWidth;
  settle();
});
settle();
document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
