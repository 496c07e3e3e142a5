import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useToolstream } from '@toolstream/react';
import { explain, toast } from '../../ui/index.ts';

/** Runs the calls again from one on, as a new run, and goes there. */
export function useRerun(id: string) {
  const client = useToolstream();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (from: number) => client.rerun(id, { from }),
    onSuccess: async (run) => {
      await navigate({ to: '/runs/$id', params: { id: run.run_id } });
      toast({ title: 'A new run has begun', description: 'It runs the same calls again.', tone: 'ok' });
    },
    onError: (error) => {
      const { message, advice } = explain(error);
      toast({ title: 'It could not be run again', description: `${message} ${advice}`, tone: 'bad' });
    },
  });
}
