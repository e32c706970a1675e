// How values are written, found and sorted. The rules are those of `value.rs`, so that both give
// the same text.
const group = (text) => {
  if (text.length < 4) return text;
  const [whole, ...rest] = text.split(".");
  if (!/^-?\d+$/.test(whole)) return text;
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...rest].join(".");
};
const float = (value) => {
  const size = Math.abs(value);
  if (value === 0) return "0.0";
  if (!Number.isFinite(value)) return exact(value);
  if (size < 1e-4 || size >= 1e15) return value.toExponential().replace("+", "");
  return value.toFixed(6).replace(/0+$/, "").replace(/\.$/, ".0");
};
const exact = (value) => String(value).replace("Infinity", "inf");
const isNumber = (column) => column.kind === "digits" || column.kind === "float";
// The text of a cell; `plain` is the same without separators and with all digits.
const shown = (column, value) => {
  if (value === null) return "null";
  if (!isNumber(column)) return plain(column, value);
  const text = column.kind === "float" ? float(value) : String(value);
  return column.grouped ? group(text) : text;
};
const plain = (column, value) => {
  if (value === null) return "";
  if (column.kind === "float") return exact(value);
  if (!Array.isArray(value)) return String(value);
  return column.kind === "time" ? value[0] : value[0] + leftOut(value[1]);
};
const leftOut = (n) => `… and ${count(n)} character${n === 1 ? "" : "s"} more`;

// The texts by which a value is found: as it is shown, without separators, and with all digits.
const findable = (column, value) => {
  const text = shown(column, value);
  return isNumber(column) && value !== null
    ? [text, text.replaceAll(",", ""), plain(column, value)].join("\n").toLowerCase()
    : text.toLowerCase();
};
// Whether a text holds what is searched for. A number may have separators where the cell has none.
const contains = (wanted) => {
  const lower = wanted.trim().toLowerCase();
  const isGrouped = /^[-+]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(lower);
  const digits = isGrouped ? lower.replaceAll(",", "") : lower;
  return (text) => text.includes(lower) || text.includes(digits);
};

// The key that a column is sorted by. Numbers that JavaScript would round arrive as texts.
const big = (value) => typeof value === "string" ? BigInt(value.replace(".", "")) : value;
const key = (column, value) => {
  if (column.kind === "digits") return big(value);
  if (column.kind === "time") return big(value[1]);
  if (column.order) return column.order.indexOf(value);
  return Array.isArray(value) ? value[0] : value;
};
const compare = (a, b) => a < b ? -1 : a > b ? 1 : 0;
// The rank of each text in the reader's collation. Comparing texts is slow and many texts repeat,
// so only distinct texts are sorted.
const places = (texts) => {
  const known = new Set(texts.filter((text) => text !== null));
  const sorted = [...known].sort(new Intl.Collator().compare);
  const place = new Map(sorted.map((text, at) => [text, at]));
  return texts.map((text) => text === null ? null : place.get(text));
};
// A stable sort. Values that can't be compared, NaN and then null, come last in both directions.
const sort = (rows, column, values, down) => {
  const isText = (column.kind === "text" || column.kind === "nested") && !column.order;
  const own = values.map((value) => value === null ? null : key(column, value));
  const keys = isText ? places(own) : own;
  const known = rows.filter((row) => keys[row] !== null && !Number.isNaN(keys[row]));
  const side = down ? -1 : 1;
  known.sort((a, b) => side * compare(keys[a], keys[b]));
  const rest = (wanted) => rows.filter((row) => wanted(keys[row]));
  return [...known, ...rest(Number.isNaN), ...rest((key) => key === null)];
};
