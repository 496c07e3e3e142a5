import type { Json } from '@toolstream/proto-events';
import type { Dice } from './dice.ts';
import type { Judge } from './judge.ts';
import { mutatedJson } from './mutate.ts';
import { textFrame } from './raw-websocket.ts';
import { goodFrame, type Known, message, violation } from './socket-inputs.ts';

/** A WebSocket address, and how to talk to it so that much of what is said is looked at. */
export interface Door {
  readonly path: string;
  readonly headers: readonly string[];
  /** The edge speaks first, and what ends the connection is not to come before that. */
  readonly welcomes: boolean;
  talk(dice: Dice): Talk;
  frame(text: string): void;
}

export interface Talk {
  readonly parts: readonly Buffer[];
  /** Sent when the edge has read all the others. */
  readonly last: Buffer;
  /** How many of them are malformed, or were meant to be. */
  readonly inputs: number;
  /** It ends with what no client may send, so an answer to all of it need not come. */
  readonly violated: boolean;
}

export function doorsOf(known: Known, judge: Judge): Readonly<Record<string, Door>> {
  const cable = (protocol: string): Door => ({
    path: '/cable',
    headers: [`Sec-WebSocket-Protocol: ${protocol}, anycable-token.${known.token}`],
    welcomes: true,
    talk: (dice) => cableTalk(dice, known),
    frame: (text) => judge.otherFrame(text),
  });
  return {
    '/ws': {
      path: '/ws',
      headers: ['Sec-WebSocket-Protocol: toolstream.v1.json'],
      welcomes: false,
      talk: (dice) => socketTalk(dice, known),
      frame: (text) => judge.frame(text),
    },
    '/cable': cable('actioncable-v1-json'),
    '/cable ext': cable('actioncable-v1-ext-json'),
  };
}

/** Without a greeting only the first frame is looked at. */
function socketTalk(dice: Dice, known: Known): Talk {
  const greeted = dice.chance(95);
  const violated = dice.chance(50);
  const hello = textFrame(JSON.stringify({ type: 'hello', token: known.token }));
  const messages = Array.from({ length: 20 + dice.int(100) }, () => message(dice, known, goodFrame));
  const last = violated ? violation(dice, known) : message(dice, known, goodFrame);
  return {
    parts: [...(greeted ? [hello] : []), ...messages],
    last,
    inputs: greeted ? messages.length + 1 : 1,
    violated,
  };
}

/** What is no command of the protocol ends the connection, so that comes last. */
function cableTalk(dice: Dice, known: Known): Talk {
  const messages = Array.from({ length: 5 + dice.int(40) }, () =>
    textFrame(JSON.stringify(command(dice, known, true))),
  );
  const last = dice.chance(50) ? violation(dice, known) : message(dice, known, (d, k) => command(d, k, false));
  return { parts: messages, last, inputs: messages.length + 1, violated: true };
}

/** A command of ActionCable: the outside as it should be, what is inside perhaps not. */
function command(dice: Dice, known: Known, odd: boolean): Record<string, Json> {
  const inside = (value: Json): string => JSON.stringify(odd && dice.chance(75) ? mutatedJson(dice, value) : value);
  const target = dice.pick<Record<string, Json>>([
    { message_id: dice.pick(known.messages) },
    { run_id: dice.pick(known.runs) },
    { app_id: dice.pick(known.apps) },
  ]);
  const identifier = inside({ channel: 'ToolExecutionChannel', ...target });
  const action = dice.pick(['pause', 'resume', 'cancel']);
  switch (dice.int(8)) {
    case 0:
      return { command: 'unsubscribe', identifier };
    case 1:
      return { command: 'message', identifier, data: inside({ action: `${action}_tool_execution`, tool_index: 0 }) };
    case 2:
      return { command: 'message', identifier, data: inside({ action: 'request_tool_details', tool_index: 1 }) };
    case 3: {
      const streams = { [dice.pick(known.runs)]: { offset: dice.int(20), epoch: 'abc' } };
      const asked = { since: 1_700_000_000, streams };
      return {
        command: dice.pick(['history', 'subscribe']),
        identifier,
        history: odd ? mutatedJson(dice, asked) : asked,
      };
    }
    case 4:
      return { command: dice.pick(['ping', 'pong', 'whisper', 'join', 'presence', 'toString']), identifier };
    default:
      return { command: 'subscribe', identifier };
  }
}
