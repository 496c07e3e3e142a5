/** The sample app's modules. They are what an agent would write: plain JavaScript for a browser. */
export const STORE_JS = `const KEY = 'planner-notes';

/** Notes by day ("2026-03-14"), kept in this browser; other tabs hear of changes. */
export class NoteStore extends EventTarget {
  #notes = load();

  constructor() {
    super();
    addEventListener('storage', (event) => {
      if (event.key !== KEY) return;
      this.#notes = load();
      this.dispatchEvent(new Event('change'));
    });
  }

  get(day) {
    return this.#notes.get(day) ?? '';
  }

  set(day, text) {
    const note = text.trim();
    if (note === '') this.#notes.delete(day);
    else this.#notes.set(day, note);
    localStorage.setItem(KEY, JSON.stringify([...this.#notes]));
    this.dispatchEvent(new Event('change'));
  }

  find(query) {
    const wanted = query.trim().toLocaleLowerCase();
    if (wanted === '') return new Set();
    const found = [...this.#notes].filter(([, note]) => note.toLocaleLowerCase().includes(wanted));
    return new Set(found.map(([day]) => day));
  }
}

function load() {
  try {
    return new Map(JSON.parse(localStorage.getItem(KEY) ?? '[]'));
  } catch {
    return new Map();
  }
}
`;

export const DAYS_JS = `const WEEK_START = 7;

/** The days of one year out of data/days.json, by month. */
export async function loadYear(year) {
  const response = await fetch('data/days.json');
  if (!response.ok) throw new Error('The calendar could not be loaded: ' + response.status);
  const { days } = await response.json();
  const months = Array.from({ length: 12 }, () => []);
  for (const day of days) {
    if (day.date.startsWith(year + '-')) months[Number(day.date.slice(5, 7)) - 1].push(day);
  }
  return months;
}

/** Splits a month into weeks of seven, with holes where another month's days would be. */
export function weeksOf(month) {
  if (month.length === 0) return [];
  const holes = (month[0].weekday - WEEK_START + 7) % 7;
  const cells = [...Array(holes).fill(null), ...month];
  const weeks = [];
  for (let at = 0; at < cells.length; at += 7) weeks.push(cells.slice(at, at + 7));
  return weeks;
}

export function weekdayNames(locale = navigator.language) {
  const format = new Intl.DateTimeFormat(locale, { weekday: 'narrow', timeZone: 'UTC' });
  return Array.from({ length: 7 }, (_, i) => format.format(Date.UTC(2024, 0, WEEK_START + i)));
}

export const monthName = (year, month, locale = navigator.language) =>
  new Intl.DateTimeFormat(locale, { month: 'long', timeZone: 'UTC' }).format(Date.UTC(year, month, 1));

export const today = () => {
  const now = new Date();
  const two = (n) => String(n).padStart(2, '0');
  return now.getFullYear() + '-' + two(now.getMonth() + 1) + '-' + two(now.getDate());
};
`;

export const CALENDAR_JS = `import { monthName, today, weekdayNames, weeksOf } from './days.js';

/** Draws the months of a year into the element, and redraws only the marks when notes change. */
export class Calendar {
  #root;
  #store;
  #onPick;

  constructor(root, store, onPick) {
    this.#root = root;
    this.#store = store;
    this.#onPick = onPick;
    store.addEventListener('change', () => this.mark());
    root.addEventListener('click', (event) => {
      const button = event.target.closest('button.day');
      if (button) this.#onPick(button.dataset.date);
    });
  }

  draw(year, months) {
    this.#root.replaceChildren(...months.map((month, index) => drawMonth(year, index, month)));
    this.mark();
  }

  mark(found = new Set()) {
    for (const button of this.#root.querySelectorAll('button.day')) {
      const { date } = button.dataset;
      button.toggleAttribute('data-note', this.#store.get(date) !== '');
      button.toggleAttribute('data-found', found.has(date));
      button.title = this.#store.get(date);
    }
  }
}

function drawMonth(year, index, month) {
  const table = document.createElement('table');
  table.createCaption().textContent = monthName(year, index);
  const head = table.createTHead().insertRow();
  for (const name of weekdayNames()) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = name;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const week of weeksOf(month)) {
    const row = body.insertRow();
    for (const day of week) row.insertCell().append(day ? drawDay(day) : '');
  }
  const section = document.createElement('section');
  section.className = 'month';
  section.append(table);
  return section;
}

function drawDay(day) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'day';
  button.dataset.date = day.date;
  button.textContent = String(Number(day.date.slice(8)));
  button.toggleAttribute('data-today', day.date === today());
  button.toggleAttribute('data-weekend', day.weekday > 5);
  return button;
}
`;

export const APP_JS = `import { Calendar } from './calendar.js';
import { loadYear, today } from './days.js';
import { NoteStore } from './store.js';

const byId = (id) => document.getElementById(id);
const store = new NoteStore();
const calendar = new Calendar(byId('months'), store, edit);
let year = Number(today().slice(0, 4));
let editing = '';

async function show(next) {
  year = next;
  byId('year').textContent = String(year);
  const months = await loadYear(year);
  if (months.every((month) => month.length === 0)) byId('months').textContent = 'There is no calendar for this year.';
  else calendar.draw(year, months);
}

function edit(day) {
  editing = day;
  byId('editor-day').textContent = new Date(day).toLocaleDateString(undefined, { dateStyle: 'full', timeZone: 'UTC' });
  byId('editor-note').value = store.get(day);
  byId('editor').showModal();
}

byId('back').addEventListener('click', () => show(year - 1));
byId('forth').addEventListener('click', () => show(year + 1));
byId('query').addEventListener('input', (event) => calendar.mark(store.find(event.target.value)));
byId('editor').addEventListener('close', () => {
  const answer = byId('editor').returnValue;
  if (answer === 'save') store.set(editing, byId('editor-note').value);
  if (answer === 'clear') store.set(editing, '');
});

await show(year);
`;

export const README_MD = `# Planner

A year at a glance, with a note for each day. Notes stay in the browser that wrote them.

Serve the folder with any static server and open it:

    npx serve .

| file | holds |
|---|---|
| index.html | the page |
| styles.css | its looks, light and dark |
| src/app.js | joins the parts |
| src/calendar.js | draws months and marks |
| src/days.js | reads the calendar, splits months into weeks |
| src/store.js | the notes |
| data/days.json | every day from 2024 to 2033: weekday, ISO week, day of the year |
`;
