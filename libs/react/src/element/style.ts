/** Light and dark by `color-scheme`; everything that is meant to be changed is a custom property or a part. */
export const STYLE = `
:host {
  display: block; color-scheme: light dark; container-type: inline-size; text-align: start;
  --_text: var(--toolstream-text, light-dark(#1f2423, #e8ebe9));
  --_muted: var(--toolstream-muted, light-dark(#5a6462, #a3adab));
  --_surface: var(--toolstream-surface, light-dark(#fdfcfa, #191c1b));
  --_border: var(--toolstream-border, light-dark(#d9d6d0, #3a403e));
  --_accent: var(--toolstream-accent, light-dark(#0b6b6b, #5cc4c0));
  --_ok: var(--toolstream-ok, light-dark(#1b6e3c, #6fce93));
  --_warn: var(--toolstream-warn, light-dark(#8a5300, #f0b45c));
  --_bad: var(--toolstream-bad, light-dark(#b3261e, #ff9b92));
  --_gap: var(--toolstream-gap, 0.5rem);
  font: 400 0.9375rem/1.45 var(--toolstream-font, system-ui, sans-serif);
}
:host([hidden]) { display: none; }
.run {
  display: grid; gap: var(--_gap); padding: calc(2 * var(--_gap)); color: var(--_text); background: var(--_surface);
  border: 1px solid var(--_border); border-radius: var(--toolstream-radius, 0.5rem);
}
header, .row { display: flex; flex-wrap: wrap; align-items: center; gap: var(--_gap); }
header > :first-child, .name { font-weight: 600; }
.name { overflow-wrap: anywhere; }
.end { margin-inline-start: auto; display: flex; flex-wrap: wrap; gap: var(--_gap); }
.muted { color: var(--_muted); }
ol { list-style: none; margin: 0; padding: 0; }
li { padding-block: var(--_gap); border-block-start: 1px solid var(--_border); display: grid; gap: calc(var(--_gap) / 2); }
p { margin: 0; overflow-wrap: anywhere; }
progress { inline-size: 100%; block-size: 0.375rem; accent-color: var(--_accent); }
.mark { inline-size: 1.25em; text-align: center; }
[data-status=running] .mark, [data-status=queued] .mark { color: var(--_accent); }
[data-status=succeeded] .mark { color: var(--_ok); }
[data-status=failed] .mark, [data-status=denied] .mark, .bad { color: var(--_bad); }
[data-status=awaiting_approval] .mark, [data-status=retrying] .mark { color: var(--_warn); }
button, input, textarea { font: inherit; color: inherit; }
button {
  min-block-size: 2rem; padding: 0 0.75em; background: transparent; cursor: pointer;
  border: 1px solid var(--_border); border-radius: calc(var(--toolstream-radius, 0.5rem) / 2);
}
button:hover { border-color: currentColor; }
button[aria-disabled=true] { color: var(--_muted); cursor: default; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
pre {
  margin: 0; max-block-size: 16em; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere;
  font: 0.8125rem/1.4 var(--toolstream-mono, ui-monospace, monospace);
}
dialog { color: var(--_text); background: var(--_surface); border: 1px solid var(--_border); border-radius: var(--toolstream-radius, 0.5rem); max-inline-size: min(32rem, 90vw); }
form { display: grid; gap: calc(2 * var(--_gap)); }
label { display: grid; gap: calc(var(--_gap) / 2); }
input, textarea { padding: 0.375em 0.5em; background: transparent; border: 1px solid var(--_border); border-radius: calc(var(--toolstream-radius, 0.5rem) / 2); }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none; }
@media (forced-colors: active) { .mark { color: CanvasText; } }
`;
