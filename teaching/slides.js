// Slides in the size of a small projector; reveal.js scales them to the screen.
Reveal.initialize({
  hash: true, center: false, width: 1280, height: 720, margin: 0, plugins: [RevealNotes],
  // Space and Enter press the button that has the focus; every other key is the slides'.
  keyboardCondition: ({ key, target }) => !([" ", "Enter"].includes(key) && target.closest?.("button, summary, a")),
});

// The keys of a presenter's remote turn the slide, whatever has the focus.
addEventListener("keydown", (event) => {
  if (!["PageDown", "PageUp"].includes(event.key)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  Reveal[event.key === "PageDown" ? "next" : "prev"]();
}, true);

// What is too much for a slide gets smaller until all of it is there: pictures first, then everything.
const fits = (slide) => slide.scrollHeight <= slide.clientHeight && slide.scrollWidth <= slide.clientWidth;
function fit(slide) {
  const sizes = slide.querySelector(".dw, img") ? [1.5, 1.4, 1.3, 1.2, 1.1, 1, 0.9, 0.8, 0.7, 0.6, 0.5] : [1];
  for (const zoom of [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5])
    for (const size of sizes) {
      slide.style.setProperty("--zoom", zoom);
      slide.style.setProperty("--dw-scale", size);
      if (fits(slide)) return;
    }
}

// A part gets another size when its slide comes, when something is unfolded, and when a widget is uncovered.
const sizes = new ResizeObserver((changed) => {
  for (const slide of new Set(changed.map(({ target }) => target.closest("section")))) if (slide.clientHeight) fit(slide);
});
for (const part of document.querySelectorAll(".slides section:not(.stack) > *")) sizes.observe(part);
