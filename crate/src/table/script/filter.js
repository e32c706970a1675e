// A filter is a part of the shown text, a comparison such as `>= 5`, or, for a column whose order
// is not alphabetical, an inclusive range such as `5..9`. `order` is the sign of a value minus a
// bound; `same` also holds if the value is shown as the bound.
const operators = {
  "=": (order, same) => same,
  "<": (order) => order < 0,
  ">": (order) => order > 0,
  "<=": (order, same) => order < 0 || same,
  ">=": (order, same) => order > 0 || same,
};
const isOrdered = (column) => isNumber(column) || column.kind === "time" || column.order;
const isDuration = (column) => column.type.startsWith("duration");

const NUMBER = /^[-+]?(\d{1,3}(,\d{3})+|\d+|(?=\.\d))(\.\d*)?(e[-+]?\d+)?$/;
const number = (text) => NUMBER.test(text) || /^[-+]?inf$/.test(text)
  ? Number(text.replaceAll(",", "").replace("inf", "Infinity")) : NaN;
// Two decimal numbers as integers of one scale, so that they are compared exactly.
const scaled = (a, b) => {
  const rest = (text) => (text.split(".")[1] ?? "");
  const length = Math.max(rest(a).length, rest(b).length);
  return [a, b].map((text) =>
    BigInt(text.replace("+", "").split(".")[0] + rest(text).padEnd(length, "0")));
};

const nanoseconds = { w: 6048e11, d: 864e11, h: 36e11, min: 6e10, m: 6e10, s: 1e9, ms: 1e6, ns: 1 };
const DURATION = /(-?\d+(?:\.\d+)?)\s*(ms|ns|us|µs|μs|min|w|d|h|m|s)(?![a-z])/g;
const duration = (text) => {
  if (text.replace(DURATION, "").trim() !== "" || text.trim() === "") return null;
  return [...text.matchAll(DURATION)].reduce((sum, [, n, unit]) =>
    sum + BigInt(Math.round(n * (nanoseconds[unit] ?? 1e3))), 0n);
};

// A date or a time as far as it is written, with all of its zeros: `2024-5` is `2024-05`.
const CLOCK = "(\\d{1,2})(?::(\\d{2})(?::(\\d{2}(?:\\.\\d+)?))?)?";
const MOMENT = new RegExp(`^(\\d{4})(?:-(\\d{1,2})(?:-(\\d{1,2})(?:[ t]${CLOCK})?)?)?$`);
const moment = (column, text) => {
  const isTime = column.type === "time";
  const parts = (isTime ? new RegExp(`^${CLOCK}$`) : MOMENT).exec(text)?.slice(1);
  if (!parts) return null;
  const [year, month = 1, day = 1, ...clock] = isTime ? [2000, 1, 1, ...parts] : parts;
  if (column.type === "date" && clock[0] !== undefined) return null;
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const [hour, minute, second] = clock.map((part) => part ?? 0);
  if (month < 1 || month > 12 || day < 1 || day > days || hour > 23 || minute > 59 || second >= 60) {
    return null;
  }
  const padded = parts.filter((part) => part !== undefined).map((part) => part.padStart(2, "0"));
  const between = isTime ? [":", ":"] : ["-", "-", " ", ":", ":"];
  return padded.map((part, at) => part + (at + 1 < padded.length ? between[at] : "")).join("");
};

// Compares values with a bound; `null` if the bound is not valid for this column. A date is compared
// only as far as the bound goes, so that `<= 2024` holds for all days of 2024.
const compareWith = (column, bound) => {
  if (isNumber(column)) {
    const wanted = number(bound);
    if (Number.isNaN(wanted)) return null;
    if (column.kind === "digits" && !/[ei]/.test(bound)) {
      const digits = bound.replaceAll(",", "");
      return (value) => [compare(...scaled(String(value), digits))];
    }
    return (value) => [
      compare(Number(value), wanted),
      column.kind === "float" && Number(float(value)) === wanted,
      Number.isNaN(value),
    ];
  }
  if (column.order) {
    const place = column.order.findIndex((name) => name.toLowerCase() === bound);
    return place < 0 ? null : (value) => [column.order.indexOf(value) - place];
  }
  if (isDuration(column)) {
    const wanted = duration(bound);
    return wanted === null ? null : (value) => {
      const length = duration(value[0].toLowerCase());
      return [length === null ? NaN : compare(length, wanted)];
    };
  }
  if (column.kind !== "time") return (value) => [compare(plain(column, value).toLowerCase(), bound)];
  const wanted = moment(column, bound);
  return wanted === null ? null : (value) =>
    [/^(\d{4}-|\d\d:)/.test(value[0]) ? compare(value[0].slice(0, wanted.length), wanted) : NaN];
};
// The rows that a filter keeps; `null` if it is not valid for this column.
const filter = (column, wanted, values) => {
  const text = wanted.trim().toLowerCase();
  const [, operator, only] = /^(<=|>=|<|>|=)\s*([^]+)$/.exec(text) ?? [];
  // With three points, a bound could be `1.` or `.5`.
  const [, low, high] = isOrdered(column) && !text.includes("...")
    && /^(.+?)\s*\.\.\s*(.+)$/.exec(text) || [];
  const isMoment = column.kind === "time" && !isDuration(column) && moment(column, text) !== null;
  const bounds = operator ? [[operator, only]]
    : low ? [[">=", low], ["<=", high]]
    : isMoment ? [["=", text]] : [];
  if (bounds.length === 0) {
    const found = contains(wanted);
    const keeps = (value) => isDuration(column)
      ? ` ${findable(column, value)}`.includes(` ${text}`) : found(findable(column, value));
    const isNone = isOrdered(column) && !column.order
      ? !NUMBER.test(text) || !isNumber(column) : /^[<>=!]|^\.\.|\.\.$/.test(text);
    return isNone && !values.some(keeps) ? null : keeps;
  }
  const tests = bounds.map(([operator, bound]) => [operators[operator], compareWith(column, bound)]);
  if (tests.some(([, compared]) => compared === null)) return null;
  return (value) => value !== null && tests.every(([holds, compared]) => {
    const [order, isShown = false, isNothing = false] = compared(value);
    return !isNothing && holds(order, order === 0 || isShown);
  });
};
const RANGES = "Part of the text; or > >= < <= = and a value; or from..to";
const example = (column) => {
  if (column.kind === "digits") return ">5, 5..9";
  if (column.kind === "float") return ">0.5, 0.5..1.5";
  if (column.order) return `>=${column.order[column.order.length >> 1]}`;
  if (column.kind !== "time") return "";
  if (isDuration(column)) return ">1.5h, 1h..2h";
  return column.type === "time" ? ">09:30" : ">2024-05";
};
