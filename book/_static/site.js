// Keeps the book in this browser, so that it opens without a network after the first visit: see book/_ext/sw.js.
// Where that cannot be (from disk, storage denied or full, a reader who saves data) the book does without.
(() => {
  const workers = navigator.serviceWorker;
  if (!workers || !location.protocol.startsWith("http") || navigator.connection?.saveData) return;
  const worker = new URL("../sw.js", document.currentScript.src).href;
  addEventListener("load", () => workers.register(worker).catch(() => {})); // after what the page itself needs
})();

// On a phone the table of contents lies over the text: whoever has chosen from it wants to see the text.
document.addEventListener("click", ({ target }) => target.closest("dialog.bd-toc a")?.closest("dialog").close());

// An answer that was opened shows by its frame, too, whether it is the right one.
document.addEventListener("toggle", ({ target }) => {
  const said = target.parentElement?.matches(".selfheal-questions") && target.querySelector(":scope > p > strong:first-child");
  if (said) target.dataset.is = said.textContent.startsWith("✓") ? "right" : "wrong";
}, true);
