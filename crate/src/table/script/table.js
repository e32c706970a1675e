// Makes the static tables of an output interactive: sort, search, filter, pages, column profile,
// copy and download. It needs no network and uses only the JSON next to each table. Data enters the
// page only as text. There is no state outside a table, no timer, and no listener on anything but a
// table's own elements, so everything disappears with the table.

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
    wrong: [],
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
    columns.map((column, at) => findable(column, values[at][row])).join("\n");
  const match = () => {
    const isBlank = state.search.trim() === "";
    const found = contains(state.search);
    const filters = state.filters.map((wanted, at) =>
      wanted.trim() === "" ? undefined : filter(columns[at], wanted, values[at]));
    state.wrong = columns.map((_, at) => at).filter((at) => filters[at] === null);
    state.matching = state.wrong.length > 0 ? [] : state.order.filter((row) =>
      filters.every((holds, at) => !holds || holds(values[at][row])) &&
      (isBlank || found(textOf(row))));
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
    const here = rows === height ? "" : " held here";
    const isWhole = found === rows && rows <= page && order === "";
    const hints = state.wrong.map((at) => {
      const [hint] = (example(columns[at]) || "part of the text").split(", ");
      return `${state.filters[at].trim()} in ${columns[at].name} is not a filter: try ${hint}`;
    });
    status.textContent = hints.length > 0 ? `No row: ${hints.join("; ")}`
      : isWhole ? held + here : `${part} of ${of}${here}${order}`;
    table.tHead.querySelectorAll("input").forEach((input) =>
      input.setAttribute("aria-invalid", state.wrong.includes(Number(input.dataset.column))));
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
    table.tHead.querySelector(`button[data-column="${at}"]`).focus();
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
      "data-column": at,
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
  const copy = async (text, from, name) => {
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
    if (done) {
      from.textContent = "Copied";
      const rename = () => { from.textContent = name; };
      for (const leaves of ["blur", "pointerleave"]) from.addEventListener(leaves, rename, { once: true });
    }
    status.textContent = done
      ? `Copied ${count(state.matching.length)} row${state.matching.length === 1 ? "" : "s"}`
      : "The browser did not allow copying the table";
  };
  const copyCsv = button("Copy CSV", () => copy(csv(), copyCsv, "Copy CSV"));
  const copyMarkdown = button("Copy Markdown", () => copy(markdown(), copyMarkdown, "Copy Markdown"));
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
  const tools = part(search, filters, choices, about, copyCsv, copyMarkdown, download);
  // A frame that is seen at a glance stays quiet: its tools are folded, below it.
  const isSmall = rows < SMALL && rows === height;
  if (!isSmall) box.before(tools);
  // Pages are the only way through a long frame, so the table does not scroll as well.
  if (rows > page) box.style.maxHeight = "none";
  const caption = root.querySelector(".evenhand-caption");
  caption.hidden = true;
  const size = rows === height
    ? data.caption.slice(data.caption.indexOf(" × ")) : ` · ${data.caption}`;
  const line = part(make("span", {}, status, make("span", { class: "evenhand-size" }, size)), pager);
  if (isSmall) line.append(make("details", { class: "evenhand-tools" }, make("summary", {}, "Tools"), tools));
  box.after(line);
  drawHead();
  find();
};

document.querySelectorAll(".evenhand-table").forEach(upgrade);
