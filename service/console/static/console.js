// Work by keyboard: keys of a list, of a result, and of the page; and what was done is said for a while.
const TYPING = "textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=submit])";
const KEYS_OFF = "tamis-keys-off"; // somebody who dictates, or whose keyboard sends stray letters, turns them off

const ROW = "tr[data-number]"; // of a work list, or of what search found
const rows = () => [...document.querySelectorAll(ROW)];
const linkOf = (row) => row.querySelector("a.number");
const dialog = (id) => document.getElementById(id);
const marked = new Set(); // for one result of them all; they stay marked when the list renews itself
let last = ""; // the number of the row that had the focus last

function current() {
  const focused = document.activeElement?.closest?.(ROW);
  return focused || rows().find((row) => row.dataset.number === last) || null;
}

function focusRow(row) {
  if (!row) return;
  last = row.dataset.number;
  linkOf(row).focus();
}

function move(step) {
  const all = rows(), at = all.indexOf(current());
  focusRow(at < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, at + step))]);
}

function hold() {
  const row = current() || rows()[0], form = dialog("holding") || dialog("hold-one");
  if (row && form) {
    form.action = `${row.dataset.place}/${"taken" in row.dataset ? "release" : "take"}`;
    form.submit();
  } else form?.querySelector("button")?.click();
}

function enterResult() {
  if (marked.size && dialog("marking")) return dialog("marking").requestSubmit();
  const box = dialog("entry"), row = current() || rows()[0];
  if (box && row) {
    focusRow(row);
    const form = box.querySelector("form");
    form.reset();
    form.action = `${row.dataset.place}/outcome`;
    box.querySelector(".of").textContent = row.dataset.number;
    box.showModal();
    form.dispatchEvent(new Event("refill"));
  }
  (box?.open ? box : document).querySelector(".result-form [name=result]")?.focus();
}

// A finding says that it is not compliant; of goods that are compliant there is none.
function choose(form, key) {
  const box = form.querySelector(`[data-key="${key}"]`);
  if (!box) return false;
  box.checked = box.type === "radio" || !box.checked;
  settle(form, box);
  const next = box.name === "findings" || box.value === "non_compliant" ? "[name=items_found]" : "button.main";
  form.querySelector(next).focus();
  form.dispatchEvent(new Event("input", { bubbles: true }));
  return true;
}

function settle(form, box) {
  const found = form.querySelectorAll("[name=findings]:checked");
  if (box.name === "findings" && found.length) form.querySelector("[value=non_compliant]").checked = true;
  if (box.name === "result" && box.value !== "non_compliant") found.forEach((one) => { one.checked = false; });
}

document.addEventListener("change", (changed) => {
  const form = changed.target.closest(".result-form");
  if (form) settle(form, changed.target);
  if (changed.target.id === "keys-on") localStorage.setItem(KEYS_OFF, changed.target.checked ? "" : "1");
});

function mark() {
  const box = (current() || rows()[0])?.querySelector("[name=number]");
  if (box) box.click();
}

function count() {
  document.querySelectorAll("[data-counts]").forEach((shown) => {
    shown.value = document.querySelectorAll(`${shown.dataset.counts}:checked`).length;
  });
}

document.addEventListener("change", (changed) => {
  const box = changed.target;
  if (box.name !== "number") return;
  if (box.checked) marked.add(box.value); else marked.delete(box.value);
  count();
});

const ACTS = {
  j: () => move(1), k: () => move(-1), r: enterResult, l: hold, x: mark,
  o: () => linkOf(current() || rows()[0] || document.createElement("i"))?.click(),
  z: () => document.querySelector("#toasts [data-key=z]")?.click(),
  v: () => document.querySelector("form[action$='/override'] [name=clearance]")?.focus(),
  p: () => print(),
  "/": () => { const box = dialog("search"); box?.focus(); box?.select(); },
  "[": () => document.querySelector("a[rel=prev]")?.click(),
  "]": () => document.querySelector("a[rel=next]")?.click(),
  "?": () => dialog("keys")?.showModal(),
};

document.addEventListener("keydown", (pressed) => {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || pressed.isComposing) return;
  const form = pressed.target.closest(".result-form");
  const number = pressed.target.matches("[name=items_found]"); // letters are no part of a number
  if (pressed.target.matches(TYPING) && !(form && number)) return;
  if (form && pressed.key.length === 1 && choose(form, pressed.key)) return pressed.preventDefault();
  if (form && pressed.key === "Enter" && !pressed.target.matches("button")) {
    pressed.preventDefault();
    return form.requestSubmit(form.querySelector("button.main"));
  }
  if (form && number) return;
  const open = document.querySelector("dialog[open]");
  if (open || (localStorage.getItem(KEYS_OFF) && pressed.key !== "?")) return;
  const act = ACTS[pressed.key];
  if (!act) return;
  pressed.preventDefault();
  act();
});

document.addEventListener("focusin", (focused) => {
  const row = focused.target.closest(ROW);
  if (row) last = row.dataset.number;
});

// The list renews itself: the row that had the focus has it again, and where it is gone, the one in its place.
let before = null;
document.addEventListener("htmx:beforeSwap", () => {
  const focused = document.activeElement?.closest?.(ROW);
  before = focused ? { number: focused.dataset.number, place: rows().indexOf(focused), top: scrollY } : null;
});
document.addEventListener("htmx:afterSwap", () => {
  document.querySelectorAll("#rows [name=number]").forEach((box) => { box.checked = marked.has(box.value); });
  count();
  if (!before) return;
  const row = rows().find((one) => one.dataset.number === before.number) || rows()[Math.min(before.place, rows().length - 1)];
  if (row) linkOf(row).focus({ preventScroll: true });
});

document.addEventListener("input", (moved) => {
  const number = moved.target.dataset.moves && moved.target.form.elements[moved.target.dataset.moves];
  if (number) number.value = moved.target.value;
});

document.addEventListener("click", (clicked) => {
  if (clicked.target.closest(".leave")) clicked.target.closest("dialog").close();
  if (clicked.target.closest("[data-print]")) print();
});

// What was done is said once: the address is that of the page again, and the word goes after its time.
const asked = new URLSearchParams(location.search);
const at = asked.get("at");
if (asked.has("done") || at) {
  ["done", "of", "at"].forEach((name) => asked.delete(name));
  history.replaceState(null, "", location.pathname + (asked.size ? `?${asked}` : ""));
}
document.querySelectorAll(".toast[data-seconds]").forEach((toast) => setTimeout(() => toast.remove(), toast.dataset.seconds * 1000));
if (at) focusRow(rows().find((row) => row.dataset.number === at));
const on = dialog("keys-on");
if (on) on.checked = !localStorage.getItem(KEYS_OFF);

// The menu: one group is open at a time; Escape, or going elsewhere, closes it.
const group = () => document.querySelector("nav details[open]");
document.addEventListener("keydown", (pressed) => {
  const open = pressed.key === "Escape" && group();
  if (!open) return;
  const within = open.contains(document.activeElement);
  open.open = false;
  if (within) open.querySelector("summary").focus();
});
["click", "focusin"].forEach((kind) => document.addEventListener(kind, (event) => {
  const open = group();
  if (open && !open.contains(event.target)) open.open = false;
}));
