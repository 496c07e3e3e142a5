import { errorCodes, isErrorCode } from '@toolstream/proto-events';
import { useConnection, useRunSelector } from '@toolstream/react';
import { CloudOff, History, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { explain, useNow } from '../../../ui/index.ts';
import { refusalTitle } from '../model/wishes.ts';
import { useAway } from '../use-away.ts';
import { Notice } from './Notice.tsx';

/** What stands between the run and what is shown of it, and what the service refused. */
export function Notices({ id }: { readonly id: string }) {
  return (
    <>
      <NotLive id={id} />
      <WhileAway id={id} />
      <Refused id={id} />
    </>
  );
}

/** Shown while what is on the page may be old. */
function NotLive({ id }: { readonly id: string }) {
  const { status, retry_at, interruption } = useConnection();
  const over = useRunSelector(id, ({ ended }) => ended);
  const failed = useRunSelector(id, ({ status: watch, error }) => (watch === 'failed' ? error : undefined));
  const lost = interruption?.to === undefined ? interruption?.from : undefined;
  const broken = status === 'closed' || lost !== undefined;
  const now = useNow(broken && !over);
  if (failed) {
    const { message, advice } = explain(failed);
    return (
      <Notice tone="bad" Icon={TriangleAlert} title="This run is no longer followed" alert>
        <p>
          {message} {advice}
        </p>
      </Notice>
    );
  }
  // A moment without a connection is nobody's concern.
  if (!broken || over || now - (lost ?? 0) < PATIENCE_MS) return null;
  const left = retry_at === undefined ? undefined : Math.max(0, Math.ceil((retry_at - now) / 1000));
  return (
    <Notice tone="warn" Icon={CloudOff} title="This page is not up to date">
      <p>
        The connection is lost. The run goes on without you, and this page catches up by itself
        {left === undefined || left === 0 ? '.' : `: the next try is in ${left} s.`}
      </p>
    </Notice>
  );
}

const PATIENCE_MS = 1_000;

function WhileAway({ id }: { readonly id: string }) {
  const { notice, dismiss } = useAway(id);
  if (!notice) return null;
  return (
    <Notice tone="still" Icon={History} title={notice.title} onClose={dismiss}>
      {notice.changes.length > 0 && (
        <ul>
          {notice.changes.map((change) => (
            <li key={change}>{change}</li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

/** The last command that the service refused, until it is closed or another one is given. */
function Refused({ id }: { readonly id: string }) {
  const refused = useRunSelector(id, (view) => view.refused);
  const [closed, close] = useState<unknown>();
  if (!refused || refused === closed) return null;
  const { code, message } = refused.error;
  return (
    <Notice tone="bad" Icon={TriangleAlert} title={refusalTitle(refused)} alert onClose={() => close(refused)}>
      <p>
        {message} {isErrorCode(code) ? errorCodes[code].help : explain(refused.error).advice} <code>{code}</code>
      </p>
    </Notice>
  );
}
