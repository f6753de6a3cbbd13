// What was typed and not sent stays with its tab: through a renewal, a reload and a log-out, for the same person alone.
const person = document.body.dataset.person;
const drafted = [...document.querySelectorAll("form[data-draft]")];
const ACTS_OF = /\/(outcome|override|undo)$/;
const placeOf = (form) => (form.closest("dialog") ? new URL(form.action).pathname : location.pathname).replace(ACTS_OF, "");
const nameOf = (form) => `draft|${person}|${placeOf(form)}|${form.dataset.draft}`;
const LEFT_OUT = ["csrf", "list", "then", "decision_id"];

function typedIn(form) {
  return [...new FormData(form)].filter(([name]) => !LEFT_OUT.includes(name));
}

function keep(form) {
  sessionStorage.setItem(nameOf(form), JSON.stringify(typedIn(form)));
}

function refill(form) {
  const kept = sessionStorage.getItem(nameOf(form));
  form.querySelector(".kept")?.remove();
  if (!kept) return;
  const typed = JSON.parse(kept);
  for (const field of form.elements) {
    if (!field.name || LEFT_OUT.includes(field.name)) continue;
    const values = typed.filter(([name]) => name === field.name).map(([, value]) => value);
    if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
    else if (values.length) field.value = values[0];
  }
  form.prepend(document.getElementById("kept").content.cloneNode(true));
}

// A form that was sent is forgotten once another page than the log-in has come of it, and none that refuses it.
function forgetSent() {
  for (const name of Object.keys(sessionStorage).filter((name) => name.startsWith("sent|"))) {
    const draft = name.slice("sent|".length);
    if (person && draft.startsWith(`draft|${person}|`) && !document.querySelector("[role=alert]")) sessionStorage.removeItem(draft);
    sessionStorage.removeItem(name);
  }
}

function offerOthers() {
  const here = location.pathname.replace(ACTS_OF, "");
  const left = Object.keys(sessionStorage).find((name) => name.startsWith(`draft|${person}|`) && !name.includes(`|${here}|`));
  if (!left) return;
  const place = left.split("|")[2], word = document.getElementById("draft").content.cloneNode(true);
  const link = word.querySelector("a");
  link.href = place;
  link.textContent = decodeURIComponent(place.split("/").pop());
  document.getElementById("toasts").append(word);
}

forgetSent();
if (person) {
  for (const form of drafted) {
    form.addEventListener("input", () => keep(form));
    form.addEventListener("refill", () => refill(form));
    form.addEventListener("submit", () => sessionStorage.setItem(`sent|${nameOf(form)}`, "1"));
    if (!form.closest("dialog")) refill(form);
  }
  offerOthers();
}
