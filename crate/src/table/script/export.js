// What a column is copied and downloaded as, and its profile.

// A spreadsheet would run a text that begins like a formula, so an apostrophe is put before it (the rule of
// text/spreadsheet.rs).
// If the spreadsheet splits cells at semicolons, tabs or line breaks, one text may contain
// several such beginnings; blanks and quotes before a sign are ignored. Full-width signs begin
// formulas too.
const csvText = (text) => {
  const begun = /^[\t\r]|(?<![^;\t\r\n])(?=(?:[^\S\t\r\n]|")*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;
  const safe = text.replace(begun, "'$&");
  return safe === "" || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const csvCell = (column, value) => {
  if (value === null) return "";
  const isText = column.kind === "text" || column.kind === "nested";
  return isText ? csvText(plain(column, value)) : plain(column, value);
};
const markdownText = (text) =>
  text.replace(/[\\|\x60*_<>[\]$~&]/g, "\\$&").replaceAll("\n", "<br>");

// A frame with fewer rows is seen at a glance.
const SMALL = 10;
const PARTS = 12;
// A column's profile over all held rows.
const profile = (column, values) => {
  const known = values.filter((value) => value !== null);
  const texts = new Map();
  for (const value of known) {
    const text = plain(column, value);
    texts.set(text, (texts.get(text) ?? 0) + 1);
  }
  const about = { nulls: values.length - known.length, distinct: texts.size, bars: [] };
  const ordered = known.filter((value) => column.kind !== "float" || Number.isFinite(value));
  if (ordered.length > 0 && (isNumber(column) || column.kind === "time")) {
    const extreme = (side) => ordered.reduce((a, b) =>
      side * compare(key(column, a), key(column, b)) > 0 ? b : a);
    Object.assign(about, { min: shown(column, extreme(1)), max: shown(column, extreme(-1)) });
  }
  if (isNumber(column) && ordered.length > 0) {
    const numbers = ordered.map(Number);
    const [min, max] = numbers.reduce(([a, b], n) => [Math.min(a, n), Math.max(b, n)],
      [Infinity, -Infinity]);
    const mean = float(numbers.reduce((sum, n) => sum + n / numbers.length, 0));
    about.mean = column.grouped ? group(mean) : mean;
    const part = (n) => max > min ? Math.floor((n / 2 - min / 2) / (max / 2 - min / 2) * PARTS) : 0;
    about.bars = Array(PARTS).fill(0);
    for (const n of numbers) about.bars[Math.min(part(n), PARTS - 1)] += 1;
  }
  if (!isNumber(column) && column.kind !== "time") {
    const often = [...texts].sort(([, a], [, b]) => b - a).slice(0, 3);
    about.top = often.map(([text, n]) =>
      `${text.length > 40 ? `${[...text].slice(0, 40).join("")}…` : text} (${count(n)})`).join(", ");
  }
  return about;
};
const bars = ({ bars, min, max }) => {
  if (bars.length === 0) return "";
  const most = Math.max(...bars);
  const label = `${PARTS} equal parts from ${min} to ${max} hold ${bars.join(", ")} rows`;
  return make("div", { class: "evenhand-bars", role: "img", "aria-label": label },
    ...bars.map((n) => make("i", { style: `height:${100 * n / most}%` })));
};
const profileTable = (data, held) => {
  const names = ["Column", "Type", "Nulls", "Distinct", "Min", "Mean", "Max", "Most frequent",
    "Distribution"];
  const row = (column, at) => {
    const about = profile(column, data.values[at]);
    const cells = [column.type, count(about.nulls), count(about.distinct), about.min ?? "",
      about.mean ?? "", about.max ?? "", about.top ?? "", bars(about)];
    return make("tr", {}, make("th", { scope: "row", dir: "auto" }, column.name),
      ...cells.map((cell) => make("td", { dir: "auto" }, cell)));
  };
  return make("div", { class: "evenhand-profile", role: "group", tabindex: 0, "aria-label": "Profile" },
    make("table", {}, make("caption", {}, `Of the ${held} held here`),
      make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...data.columns.map(row))));
};
