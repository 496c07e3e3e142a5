import { button, h } from './dom.ts';

export interface Question {
  readonly title: string;
  /** What the button says that goes on with it. */
  readonly go: string;
  /** JSON that is to be edited; absent: a reason may be given. */
  readonly json?: unknown;
}

/**
 * Asks in a modal dialog, which keeps the focus and gives it back. `undefined`: nothing is to be done. What is edited as JSON
 * is the answer's `value`.
 */
export function ask(root: ShadowRoot, question: Question): Promise<{ reason?: string; value?: unknown } | undefined> {
  const edits = 'json' in question;
  const field = edits
    ? h('textarea', { part: 'input', rows: '8', spellcheck: 'false' }, JSON.stringify(question.json, null, 2))
    : h('input', { part: 'input', maxlength: '1000', autocomplete: 'off' });
  const title = h('strong', { id: 'question' }, question.title);
  const dialog = h('dialog', { part: 'dialog', 'aria-labelledby': 'question' });
  const back = button('back', 'Go back', () => dialog.close());
  const go = h('button', { part: 'button go' }, question.go);
  const form = h(
    'form',
    { method: 'dialog' },
    title,
    h('label', {}, edits ? 'Arguments (JSON)' : 'Reason (optional)', field),
  );
  form.append(h('div', { class: 'row' }, go, back));
  dialog.append(form);
  root.append(dialog);

  return new Promise((resolve) => {
    let answer: { reason?: string; value?: unknown } | undefined;
    field.addEventListener('input', () => field.setCustomValidity(''));
    form.addEventListener('submit', (event) => {
      if (!edits) {
        const reason = field.value.trim();
        answer = reason === '' ? {} : { reason };
        return;
      }
      try {
        answer = { value: JSON.parse(field.value) };
      } catch (error) {
        event.preventDefault();
        field.setCustomValidity(`This is no JSON: ${(error as Error).message}`);
        field.reportValidity();
      }
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
    dialog.showModal();
  });
}
