/** The sample app's page: a year planner that needs no build, only a static server. */
export const INDEX_HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Planner</title>
    <link rel="stylesheet" href="styles.css" />
    <!-- scripts -->
  </head>
  <body>
    <header class="bar">
      <button type="button" id="back" aria-label="Year before">‹</button>
      <h1 id="year" aria-live="polite"></h1>
      <button type="button" id="forth" aria-label="Year after">›</button>
      <label class="search">
        <span>Find</span>
        <input id="query" type="search" autocomplete="off" placeholder="in your notes" />
      </label>
    </header>
    <main id="months" class="months"></main>
    <dialog id="editor">
      <form method="dialog">
        <h2 id="editor-day"></h2>
        <textarea id="editor-note" rows="6" aria-label="Note"></textarea>
        <menu>
          <button value="clear" type="submit">Clear</button>
          <button value="save" type="submit">Save</button>
        </menu>
      </form>
    </dialog>
    <noscript>The planner needs JavaScript.</noscript>
  </body>
</html>
`;

export const STYLES_CSS = `:root {
  color-scheme: light dark;
  --ink: light-dark(#1f2430, #e8e6e1);
  --paper: light-dark(#fbfaf7, #16181d);
  --line: light-dark(#dcd8cf, #31353f);
  --accent: light-dark(#0b6e4f, #5fd3a6);
  --today: light-dark(#ffe9b8, #5a4410);
  font: 15px/1.4 system-ui, sans-serif;
}

body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
}

.bar {
  position: sticky;
  top: 0;
  display: flex;
  gap: 0.75rem;
  align-items: center;
  padding: 0.75rem 1.25rem;
  background: var(--paper);
  border-bottom: 1px solid var(--line);
}

.bar h1 {
  margin: 0;
  min-width: 5ch;
  font-size: 1.4rem;
  font-variant-numeric: tabular-nums;
  text-align: center;
}

.search {
  display: flex;
  gap: 0.5rem;
  align-items: baseline;
  margin-left: auto;
}

button,
input,
textarea {
  font: inherit;
  color: inherit;
  background: transparent;
  border: 1px solid var(--line);
  border-radius: 0.4rem;
  padding: 0.3rem 0.7rem;
}

:is(button, input, textarea):focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 1px;
}

.months {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr));
  gap: 1.5rem;
  padding: 1.25rem;
}

.month table {
  width: 100%;
  border-collapse: collapse;
  font-variant-numeric: tabular-nums;
}

.month caption {
  font-weight: 600;
  padding-bottom: 0.4rem;
  text-align: left;
}

.month :is(th, td) {
  padding: 0;
  text-align: right;
  font-weight: 400;
}

.month th {
  color: color-mix(in srgb, var(--ink) 55%, transparent);
  font-size: 0.8rem;
}

.day {
  width: 100%;
  border: 0;
  border-radius: 0.3rem;
  padding: 0.2rem 0.35rem;
  text-align: right;
  cursor: pointer;
}

.day[data-today] {
  background: var(--today);
  font-weight: 700;
}

.day[data-note] {
  box-shadow: inset 0 -2px 0 var(--accent);
}

.day[data-found] {
  background: color-mix(in srgb, var(--accent) 30%, transparent);
}

.day[data-weekend] {
  color: color-mix(in srgb, var(--ink) 60%, transparent);
}

dialog {
  border: 1px solid var(--line);
  border-radius: 0.6rem;
  background: var(--paper);
  color: var(--ink);
  width: min(28rem, 90vw);
}

dialog::backdrop {
  background: rgb(0 0 0 / 40%);
}

dialog textarea {
  box-sizing: border-box;
  width: 100%;
}

dialog menu {
  display: flex;
  gap: 0.5rem;
  justify-content: end;
  padding: 0;
}

@media (prefers-reduced-motion: no-preference) {
  .day {
    transition: background-color 120ms ease-out;
  }
}

@media print {
  .bar .search,
  .bar button {
    display: none;
  }
}
`;
