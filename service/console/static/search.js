// The key "/" leads to the box of search, unless somebody is typing.
document.addEventListener("keydown", (pressed) => {
  const box = document.getElementById("search");
  const typing = pressed.target.closest("input, textarea, select, [contenteditable]");
  if (pressed.key !== "/" || pressed.ctrlKey || pressed.metaKey || pressed.altKey || typing || !box) return;
  pressed.preventDefault();
  box.focus();
  box.select();
});
