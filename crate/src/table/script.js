// Makes the static tables of an output interactive: sort, search, filter, pages, column profile,
// copy and download. It needs no network and uses only the JSON beside each table. Data enters the
// page only as text. There is no state outside a table, no timer, and no listener on anything but a
// table's own elements, so everything disappears with the table.
(() => {
  "use strict";

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name, value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const button = (name, click) => make("button", { type: "button", click }, name);
  const count = (n) => group(String(n));

  // The formatting of values. The rules are those of `value.rs`, so that both give the same text.
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

  // The key that a column is sorted by. Numbers that JavaScript would round arrive as texts.
  const big = (value) => typeof value === "string" ? BigInt(value.replace(".", "")) : value;
  const key = (column, value) => {
    if (column.kind === "digits") return big(value);
    if (column.kind === "time") return big(value[1]);
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
    const isText = column.kind === "text" || column.kind === "nested";
    const own = values.map((value) => value === null ? null : key(column, value));
    const keys = isText ? places(own) : own;
    const known = rows.filter((row) => keys[row] !== null && !Number.isNaN(keys[row]));
    const side = down ? -1 : 1;
    known.sort((a, b) => side * compare(keys[a], keys[b]));
    const rest = (wanted) => rows.filter((row) => wanted(keys[row]));
    return [...known, ...rest(Number.isNaN), ...rest((key) => key === null)];
  };

  // A filter is a part of the shown text, a comparison such as `>= 5`, or, for a column whose order
  // is not alphabetical, an inclusive range such as `5..9`.
  const operators = {
    "=": (a, b) => a === b,
    "<": (a, b) => a < b,
    ">": (a, b) => a > b,
    "<=": (a, b) => a <= b,
    ">=": (a, b) => a >= b,
  };
  const isOrdered = (column) => isNumber(column) || column.kind === "time";
  const isDuration = (column) => column.type.startsWith("duration");
  const nanoseconds = { d: 864e11, h: 36e11, m: 6e10, s: 1e9, ms: 1e6, ns: 1 };
  const duration = (text) => {
    const parts = [...text.matchAll(/(-?\d+)\s*([a-zµμ]+)/g)];
    return parts.length === 0 ? NaN
      : parts.reduce((sum, [, n, unit]) => sum + n * (nanoseconds[unit] ?? 1e3), 0);
  };
  const shape = (text) => text.replace(/\d/g, "0");
  // The two sides of a comparison of a cell's value and a bound; NaN if they can't be compared. A
  // date is compared only as far as the bound goes, so that `<= 2024` holds for all days of 2024.
  const sides = (column, value, bound) => {
    if (isNumber(column)) return [Number(value), Number(bound.replaceAll(",", ""))];
    const text = plain(column, value).toLowerCase();
    if (isDuration(column)) return [duration(text), duration(bound)];
    if (column.kind !== "time") return [text, bound];
    return shape(text).startsWith(shape(bound)) ? [text.slice(0, bound.length), bound] : [NaN, NaN];
  };
  const filter = (column, wanted) => {
    const text = wanted.trim().toLowerCase();
    const [, operator, only] = /^(<=|>=|<|>|=)\s*([^]+)$/.exec(text) ?? [];
    const [, low, high] = isOrdered(column) && /^(.+?)\s*\.\.\s*(.+)$/.exec(text) || [];
    const bounds = operator ? [[operator, only]] : low ? [[">=", low], ["<=", high]] : [];
    const isNoNumber = ([, bound]) => isNumber(column) && Number.isNaN(sides(column, 0, bound)[1]);
    if (bounds.length === 0 || bounds.some(isNoNumber)) {
      return (value) => shown(column, value).toLowerCase().includes(text);
    }
    return (value) => value !== null &&
      bounds.every(([operator, bound]) => operators[operator](...sides(column, value, bound)));
  };
  const RANGES = "Part of the text; or > >= < <= = and a value; or from..to";
  const example = (column) => {
    if (isNumber(column)) return ">5, 5..9";
    if (column.kind !== "time") return "";
    if (isDuration(column)) return ">1h, 1h..2h";
    return column.type === "time" ? ">09:30" : ">2024-05";
  };

  // A spreadsheet would run a text that begins like a formula, so an apostrophe is put before it.
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

  const upgrade = (root) => {
    const source = [...root.children].find((child) => child.type === "application/json");
    if (!source || root.evenhand) return;
    root.evenhand = true;
    const data = JSON.parse(source.textContent);
    const { columns, values, rows, height, page } = data;
    const numbers = { NaN, inf: Infinity, "-inf": -Infinity };
    columns.forEach((column, at) => {
      if (column.kind !== "float") return;
      values[at] = values[at].map((value) => typeof value === "string" ? numbers[value] : value);
    });

    const box = root.querySelector(".evenhand-scroll");
    const table = box.querySelector("table");
    const label = box.getAttribute("aria-label");
    const held = `${count(rows)} row${rows === 1 ? "" : "s"}`;
    const state = {
      order: [...Array(rows).keys()],
      matching: [],
      first: 0,
      sorted: null,
      down: false,
      search: "",
      filters: columns.map(() => ""),
      hidden: columns.map(() => false),
    };
    const visible = () => columns.map((_, at) => at).filter((at) => !state.hidden[at]);

    // Long texts are folded as in the static table.
    const fill = (cell, column, value) => {
      if (value === null) return cell.append(make("em", {}, "null"));
      if (isNumber(column) || column.kind === "boolean" || column.kind === "time") {
        cell.textContent = shown(column, value);
        return;
      }
      const [text, more] = Array.isArray(value) ? value : [value, 0];
      const [folds, folded] = column.kind === "nested" ? [80, 60] : [1000, 200];
      const letters = text.length > folds ? [...text] : [];
      const note = more > 0 ? [make("em", {}, leftOut(more))] : [];
      if (text.length > 100) cell.className = "evenhand-long";
      if (letters.length <= folds) return cell.append(text, ...note);
      cell.append(make("details", {}, make("summary", {}, letters.slice(0, folded).join("")),
        letters.slice(folded).join(""), ...note));
    };
    const bodyRow = (row, at) => {
      const line = document.createElement("tr");
      const name = document.createElement("th");
      name.scope = "row";
      name.textContent = count(row + 1);
      line.append(name);
      for (const at of visible()) {
        const cell = document.createElement("td");
        if (isNumber(columns[at])) cell.className = "evenhand-number";
        else cell.dir = "auto";
        fill(cell, columns[at], values[at][row]);
        line.append(cell);
      }
      return line;
    };

    const texts = [];
    const textOf = (row) => texts[row] ??=
      columns.map((column, at) => shown(column, values[at][row])).join("\n").toLowerCase();
    const match = () => {
      const search = state.search.trim().toLowerCase();
      const filters = state.filters.flatMap((wanted, at) =>
        wanted.trim() === "" ? [] : [[values[at], filter(columns[at], wanted)]]);
      state.matching = state.order.filter((row) =>
        filters.every(([values, holds]) => holds(values[row])) &&
        (search === "" || textOf(row).includes(search)));
      state.first = 0;
    };

    const status = make("span", { role: "status" });
    const tell = () => {
      const found = state.matching.length;
      const last = Math.min(state.first + page, found);
      const part = found === 0 ? "No row" : `Rows ${count(state.first + 1)}–${count(last)}`;
      const of = found < rows ? `${count(found)} that match, of ${held}` : held;
      const order = state.sorted === null ? "" :
        `, sorted by ${columns[state.sorted].name}, ${state.down ? "descending" : "ascending"}`;
      status.textContent = `${part} of ${of}${rows === height ? "" : " held here"}${order}`;
    };
    const draw = () => {
      table.tBodies[0].replaceChildren(
        ...state.matching.slice(state.first, state.first + page).map(bodyRow));
      tell();
      const end = state.first + page >= state.matching.length;
      [state.first === 0, state.first === 0, end, end].forEach((off, at) =>
        pager.children[at].setAttribute("aria-disabled", off));
      pager.hidden = state.matching.length <= page;
    };
    const find = () => {
      match();
      draw();
    };
    const turn = (first) => {
      const last = Math.floor(Math.max(state.matching.length - 1, 0) / page) * page;
      state.first = Math.min(Math.max(first, 0), last);
      box.scrollTop = 0;
      draw();
    };
    const pager = make("span", { role: "group", "aria-label": "Pages", class: "evenhand-bar" },
      button("First", () => turn(0)),
      button("Previous", () => turn(state.first - page)),
      button("Next", () => turn(state.first + page)),
      button("Last", () => turn(Infinity)));

    // The first click sorts ascending, the second descending, the third restores the order.
    const sortBy = (at) => {
      const next = state.sorted !== at ? [at, false] : state.down ? [null, false] : [at, true];
      [state.sorted, state.down] = next;
      const rowsInOrder = [...Array(rows).keys()];
      state.order = next[0] === null ? rowsInOrder : sort(rowsInOrder, columns[at], values[at], next[1]);
      drawHead();
      find();
      table.tHead.querySelector(`[data-column="${at}"]`).focus();
    };
    const headCell = (at) => {
      const cell = make("th", { scope: "col", dir: "auto" },
        make("button", { type: "button", "data-column": at, click: () => sortBy(at) }, columns[at].name));
      if (state.sorted === at) cell.ariaSort = state.down ? "descending" : "ascending";
      cell.style.textAlign = isNumber(columns[at]) ? "right" : "left";
      return cell;
    };
    const typeCell = (at) => {
      const cell = make("td", {}, make("em", {}, columns[at].type));
      cell.style.textAlign = isNumber(columns[at]) ? "right" : "left";
      return cell;
    };
    const filterCell = (at) => {
      const input = make("input", {
        type: "search",
        "aria-label": `Filter ${columns[at].name}`,
        placeholder: example(columns[at]),
        title: isOrdered(columns[at]) ? RANGES : "Part of the text",
        input: () => {
          state.filters[at] = input.value;
          find();
        },
      });
      input.value = state.filters[at];
      return make("td", {}, input);
    };
    const filters = button("Filters", () => {
      const on = filters.getAttribute("aria-pressed") !== "true";
      filters.setAttribute("aria-pressed", on);
      if (!on) state.filters.fill("");
      drawHead();
      find();
    });
    filters.setAttribute("aria-pressed", false);
    const drawHead = () => {
      const row = (first, cell) =>
        make("tr", {}, make("td", {}, first), ...visible().map(cell));
      const lines = [row("#", headCell), row("", typeCell)];
      if (filters.getAttribute("aria-pressed") === "true") lines.push(row("", filterCell));
      table.tHead.replaceChildren(...lines);
    };

    const choice = (column, at) => {
      const box = make("input", {
        type: "checkbox",
        change: () => {
          state.hidden[at] = !box.checked;
          drawHead();
          draw();
        },
      });
      box.checked = true;
      return make("label", { dir: "auto" }, box, ` ${column.name}`);
    };
    const choices = make("details", {}, make("summary", {}, "Columns"),
      make("div", { class: "evenhand-choices", role: "group", "aria-label": "Columns shown" },
        ...columns.map(choice)));
    const about = make("details", {
      toggle: () => {
        if (about.open && about.children.length === 1) about.append(profileTable(data, held));
      },
    }, make("summary", {}, "Profile"));

    // Copies contain the matching rows in their order, over all pages, with the visible columns.
    const csv = () => {
      const line = (cells) => `${cells.join(",")}\r\n`;
      const head = line(visible().map((at) => csvText(columns[at].name)));
      return head + state.matching.map((row) =>
        line(visible().map((at) => csvCell(columns[at], values[at][row])))).join("");
    };
    const markdown = () => {
      const line = (cells) => `| ${cells.join(" | ")} |\n`;
      return line(visible().map((at) => markdownText(columns[at].name))) +
        line(visible().map((at) => isNumber(columns[at]) ? "---:" : "---")) +
        state.matching.map((row) => line(visible().map((at) =>
          markdownText(shown(columns[at], values[at][row]))))).join("");
    };
    const copy = async (text, from) => {
      let done = true;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        // Without permission to write to the clipboard, a selection can still be copied.
        const area = make("textarea", { "aria-label": "Copy" });
        area.value = text;
        root.append(area);
        area.select();
        done = document.execCommand("copy");
        area.remove();
        from.focus();
      }
      status.textContent = done
        ? `Copied ${count(state.matching.length)} row${state.matching.length === 1 ? "" : "s"}`
        : "The browser did not allow copying the table";
    };
    const copyCsv = button("Copy CSV", () => copy(csv(), copyCsv));
    const copyMarkdown = button("Copy Markdown", () => copy(markdown(), copyMarkdown));
    const download = button("Download CSV", () => {
      const url = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
      make("a", { href: url, download: `${label.replace(/[^\p{L}\p{N}]+/gu, "-")}.csv` }).click();
      URL.revokeObjectURL(url);
    });

    const search = make("input", {
      type: "search",
      "aria-label": "Search all columns",
      placeholder: "Search",
      input: () => {
        state.search = search.value;
        find();
      },
    });
    const part = (...children) => make("div", { class: "evenhand-bar evenhand-part" }, ...children);
    // A saved page already contains the parts that were added before; they are replaced.
    root.querySelectorAll(".evenhand-part").forEach((old) => old.remove());
    box.before(part(search, filters, choices, about, copyCsv, copyMarkdown, download));
    box.after(part(status, pager));
    root.querySelector(".evenhand-caption").textContent = data.caption;
    drawHead();
    find();
  };

  document.querySelectorAll(".evenhand-table").forEach(upgrade);
})();
