/** As much of a terminal as a repaint uses: rows of text, a cursor, and three escape sequences. */
export class Terminal {
  readonly rows: string[] = [''];
  #row = 0;

  write(out: string): this {
    for (let rest = out; rest !== ''; ) {
      if (rest.startsWith(CSI)) {
        const [sequence, count, name] = /^(\d*)([A-Z])/.exec(rest.slice(CSI.length)) as unknown as [
          string,
          string,
          string,
        ];
        this.#obey(name, Number(count));
        rest = rest.slice(CSI.length + sequence.length);
        continue;
      }
      const text = rest.slice(0, Math.max(1, rest.search(CONTROL)));
      if (text === '\n') this.#row += 1;
      else if (text !== '\r') this.rows[this.#row] = text;
      rest = rest.slice(text.length);
      while (this.rows.length <= this.#row) this.rows.push('');
    }
    return this;
  }

  #obey(name: string, count: number): void {
    if (name === 'A') this.#row = Math.max(0, this.#row - count);
    if (name === 'K') this.rows[this.#row] = '';
    if (name === 'J') this.rows.splice(this.#row, this.rows.length, '');
  }
}

const CSI = '\u001b[';
const CONTROL = /\p{Cc}/u;
