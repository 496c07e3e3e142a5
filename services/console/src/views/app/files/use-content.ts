import { useQuery } from '@tanstack/react-query';
import { useToolstream } from '@toolstream/react';

/** What is fetched without being asked for. */
export const AT_ONCE_BYTES = 2_000_000;

export interface ContentAddress {
  readonly app: string;
  readonly path: string;
  /** Tells contents apart: the same bytes are fetched once. */
  readonly sha256: string;
  readonly size: number;
  /** One that the file had; absent: the present one. */
  readonly version?: string | undefined;
}

/** The bytes of a content. Contents never change, so they are kept until nobody has looked at them for 5 minutes. */
export function useContent(
  { app, path, sha256, size, version }: ContentAddress,
  { anySize = false }: { readonly anySize?: boolean } = {},
) {
  const client = useToolstream();
  return useQuery({
    queryKey: ['content', app, path, sha256],
    queryFn: ({ signal }) => client.file(app, path, { signal, ...(version === undefined ? {} : { version }) }),
    enabled: anySize || size <= AT_ONCE_BYTES,
    staleTime: Number.POSITIVE_INFINITY,
  });
}
