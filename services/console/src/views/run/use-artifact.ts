import { useQuery } from '@tanstack/react-query';
import type { ArtifactRef } from '@toolstream/proto-events';
import { useToolstream } from '@toolstream/react';

/** The bytes of a value that is kept apart from the events. They never change: once fetched, they are there. */
export function useArtifact(
  id: string,
  reference: ArtifactRef,
  { enabled = true }: { readonly enabled?: boolean } = {},
) {
  const client = useToolstream();
  return useQuery({
    queryKey: ['artifact', id, reference.$ref.artifact],
    queryFn: ({ signal }) => client.artifact(id, reference, { signal }),
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
  });
}
