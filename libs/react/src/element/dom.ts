type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** An element with its attributes; `undefined` and `false` leave one out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) set(element, key, value);
  element.append(...children);
  return element;
}

/** Touches an attribute only where it changes: what is not touched is not laid out or read aloud again. */
export function set(element: Element, key: string, value: string | boolean | undefined): void {
  if (value === undefined || value === false) {
    if (element.hasAttribute(key)) element.removeAttribute(key);
  } else {
    const text = value === true ? '' : value;
    if (element.getAttribute(key) !== text) element.setAttribute(key, text);
  }
}

export function text(element: Element, value: string): void {
  if (element.textContent !== value) element.textContent = value;
}

export function button(part: string, label: string, onClick: () => void): HTMLButtonElement {
  const element = h('button', { type: 'button', part: `button ${part}` }, label);
  element.addEventListener('click', () => {
    // Not `disabled`: the focus stays where it is while something is under way.
    if (element.getAttribute('aria-disabled') !== 'true') onClick();
  });
  return element;
}

/** What a button says while what it stands for is on its way. */
export function busy(element: HTMLButtonElement, label: string, isBusy: boolean): void {
  text(element, label);
  set(element, 'aria-disabled', isBusy ? 'true' : undefined);
}

/** A bar, without a value where nobody knows. */
export function bar(element: HTMLProgressElement, percent: number | undefined, words: string): void {
  set(element, 'value', percent === undefined ? undefined : String(Math.round(percent * 10) / 10));
  set(element, 'aria-valuetext', words);
}
