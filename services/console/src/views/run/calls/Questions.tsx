import { Link } from '@tanstack/react-router';
import { type RunView, useRunSelector } from '@toolstream/react';
import { UserRoundCheck } from 'lucide-react';
import { callNumber } from '../model/order.ts';
import { subjectOf } from '../model/subject.ts';
import { Notice } from '../parts/Notice.tsx';
import { toCall } from '../route.ts';

/** Calls that wait for somebody's answer, where nobody can miss them. */
export function Questions({ id }: { readonly id: string }) {
  const asking = useRunSelector(id, askingOf, sameItems);
  if (asking.length === 0) return null;
  const title = asking.length === 1 ? 'A call waits for an answer' : `${asking.length} calls wait for an answer`;
  return (
    <Notice tone="warn" Icon={UserRoundCheck} title={title}>
      <ul>
        {asking.slice(0, SHOWN).map((tool) => (
          <li key={tool.index}>
            <Link {...toCall(tool.index)}>
              {callNumber(tool.index)} {tool.name} {subjectOf(tool.arguments) ?? ''}
            </Link>
          </li>
        ))}
        {asking.length > SHOWN && <li>and {asking.length - SHOWN} more in the list</li>}
      </ul>
    </Notice>
  );
}

const SHOWN = 5;
type Tools = NonNullable<RunView['run']>['tools'];
const NONE: Tools = [];

function askingOf({ run }: RunView): Tools {
  const asking = run?.tools.filter(({ status }) => status === 'awaiting_approval');
  return asking && asking.length > 0 ? asking : NONE;
}

const sameItems = (a: Tools, b: Tools): boolean => a.length === b.length && a.every((tool, i) => tool === b[i]);
