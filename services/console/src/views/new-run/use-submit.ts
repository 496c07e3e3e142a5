import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useToolstream } from '@toolstream/react';
import { useRef } from 'react';
import { type Draft, toRequest } from './model/draft.ts';

/**
 * Hands a draft over. The same draft handed over again, because its answer was lost, is the same run: it keeps its idempotency
 * key until it was answered or changed.
 */
export function useSubmit(onAccepted: () => void) {
  const client = useToolstream();
  const navigate = useNavigate();
  const last = useRef<{ readonly body: string; readonly key: string }>(undefined);
  return useMutation({
    mutationFn: (draft: Draft) => {
      const request = toRequest(draft);
      const body = JSON.stringify(request);
      if (last.current?.body !== body) last.current = { body, key: randomKey() };
      return client.submit(request, { idempotencyKey: last.current.key });
    },
    onSuccess: async ({ run_id }) => {
      last.current = undefined;
      onAccepted();
      await navigate({ to: '/runs/$id', params: { id: run_id } });
    },
  });
}

const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
