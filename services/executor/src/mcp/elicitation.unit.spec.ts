import { describe, expect, it } from 'vitest';
import { Answers } from './elicitation.ts';

const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
const asked = () => {
  const answers = new Answers(undefined, undefined);
  answers.answer('Who?', schema);
  return answers.state;
};

describe('What an MCP server asks', () => {
  it('has no answer at first: the call ends with the question', () => {
    const answers = new Answers(undefined, undefined);
    expect(answers.answer('Who?', schema)).toBeUndefined();
    expect(answers.open).toEqual({ message: 'Who?', schema });
  });

  it('is not answered by what a model put into the arguments by itself', () => {
    expect(new Answers(undefined, { name: 'model' }).answer('Who?', schema)).toBeUndefined();
    // Nor by a checkpoint of something else.
    expect(new Answers({ elicitation: 1 }, { name: 'model' }).answer('Who?', schema)).toBeUndefined();
  });

  it('is answered with what was approved after the same question', () => {
    expect(new Answers(asked(), { name: 'Ada' }).answer('Who?', schema)).toEqual({ name: 'Ada' });
    expect(new Answers(asked(), { name: 'Ada' }).answer('Who else?', schema)).toBeUndefined();
  });

  it('is asked again when the answer does not fit, or there is none where one is needed', () => {
    expect(new Answers(asked(), { name: 7 }).answer('Who?', schema)).toBeUndefined();
    expect(new Answers(asked(), undefined).answer('Who?', schema)).toBeUndefined();
  });

  it('needs no content where the approval itself is the answer', () => {
    const confirm = new Answers(undefined, undefined);
    confirm.answer('Sure?', { type: 'object', properties: {} });
    expect(new Answers(confirm.state, undefined).answer('Sure?', { type: 'object', properties: {} })).toEqual({});
  });

  it('stays answered in later attempts, for a server that asks several things', () => {
    const second = new Answers(asked(), { name: 'Ada' });
    second.answer('Who?', schema);
    expect(second.answer('Where?', schema)).toBeUndefined();
    const third = new Answers(second.state, { name: 'London' });
    expect(third.answer('Who?', schema)).toEqual({ name: 'Ada' });
    expect(third.answer('Where?', schema)).toEqual({ name: 'London' });
    expect(third.open).toBeUndefined();
  });
});
