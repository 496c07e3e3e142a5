import { ApiError, type ToolListing } from '@toolstream/client';
import { isToken, MAX_CALLS } from '@toolstream/proto-events';
import { argumentsJson, type Draft, type DraftCall } from './draft.ts';
import { parseJson } from './json-text.ts';
import { misfits, placeOf } from './schema-check.ts';

/** What is wrong with a draft, at the place where it is put right. `warning`: it can be handed over all the same. */
export interface Problem {
  /** Key of the call; absent: of the run as a whole. */
  readonly call?: string;
  readonly field: 'app' | 'message_id' | 'calls' | 'id' | 'name' | 'arguments' | 'depends_on' | 'timeout_ms';
  readonly message: string;
  /** Where in the arguments; absent for what concerns no single field. */
  readonly path?: readonly (string | number)[];
  readonly warning?: true;
}

const LONGEST_ID = 256;

/** What can be told before handing over; the service has the last word. */
export function problemsOf(draft: Draft, tools: readonly ToolListing[] | undefined): Problem[] {
  const { app, message_id, calls } = draft;
  const found: Problem[] = [];
  if (app === '') found.push({ field: 'app', message: 'Say which app the run belongs to.' });
  else if (!isToken(app)) found.push({ field: 'app', message: TOKEN_RULE });
  if (message_id.trim() !== '' && !isToken(message_id.trim())) found.push({ field: 'message_id', message: TOKEN_RULE });
  if (calls.length === 0)
    found.push({ field: 'calls', message: 'Add at least one tool call: paste a response, or pick a tool.' });
  if (calls.length > MAX_CALLS)
    found.push({
      field: 'calls',
      message: `A run holds at most ${MAX_CALLS} tool calls; take out ${calls.length - MAX_CALLS}.`,
    });
  const ids = Map.groupBy(calls, ({ id }) => id);
  for (const call of calls) found.push(...problemsOfCall(call, ids.get(call.id)!.length, tools));
  return found;
}

const TOKEN_RULE = 'Letters, digits, - and _ only, 64 at most.';

function problemsOfCall(call: DraftCall, namesakes: number, tools: readonly ToolListing[] | undefined): Problem[] {
  const { key, id, name, text } = call;
  const found: Problem[] = [];
  const say = (field: Problem['field'], message: string, warning?: true) =>
    found.push({ call: key, field, message, ...(warning ? { warning } : {}) });
  if (id === '' || id.length > LONGEST_ID) say('id', `An id has 1 to ${LONGEST_ID} characters.`);
  else if (namesakes > 1) say('id', 'Another call has this id. Ids tell the calls apart: change one.');
  const tool = tools?.find((listed) => listed.name === name);
  if (name === '') say('name', 'Say which tool to call.');
  else if (tools !== undefined && !tool)
    say('name', 'No executor serves this tool now: the call would fail, the others would run.', true);
  const parsed = parseJson(argumentsJson(text));
  if (!parsed.ok) {
    say('arguments', `Line ${parsed.line}, column ${parsed.column}: ${parsed.message}`);
    return found;
  }
  if (tool)
    for (const misfit of misfits(tool.input_schema, parsed.value)) {
      const message = `${placeOf(misfit)}: ${misfit.message}`;
      found.push({ call: key, field: 'arguments', message, path: misfit.path });
    }
  return found;
}

/** What the service refused, at the calls that it names; what names none concerns the run. */
export function refusalOf(error: unknown, { calls }: Draft): Problem[] {
  if (!(error instanceof ApiError)) return [];
  const named = error.fields.flatMap(({ path, message }): Problem[] => {
    const [, index, rest = ''] = /^tool_calls\[(\d+)\]\.?(.*)$/.exec(path) ?? [];
    const call = index === undefined ? undefined : calls[Number(index)];
    if (call) return [{ call: call.key, field: fieldOf(rest), message }];
    return path === 'app' || path === 'message_id' ? [{ field: path, message }] : [];
  });
  if (named.length > 0) return named;
  // These two name calls by their ids.
  if (error.code === 'duplicate_call_id' || error.code === 'dependency_cycle') {
    const field = error.code === 'duplicate_call_id' ? 'id' : 'depends_on';
    return calls
      .filter(({ id }) => mentions(error.message, id))
      .map(({ key }) => ({ call: key, field, message: error.message }));
  }
  const [, index] = /tool_calls\[(\d+)\]/.exec(error.message) ?? [];
  const call = index === undefined ? undefined : calls[Number(index)];
  return call ? [{ call: call.key, field: fieldOf(error.message.split('].')[1] ?? ''), message: error.message }] : [];
}

function fieldOf(rest: string): Problem['field'] {
  if (rest.startsWith('id')) return 'id';
  if (/^(function\.)?name/.test(rest)) return 'name';
  if (rest.startsWith('timeout_ms')) return 'timeout_ms';
  return rest.startsWith('depends_on') ? 'depends_on' : 'arguments';
}

/** Ids stand in a message as JSON, or between arrows. */
const mentions = (message: string, id: string): boolean =>
  message.includes(JSON.stringify(id)) || new RegExp(`(?:[:→] )${escaped(id)}(?=[.\\s])`).test(message);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
