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
  address: ContentAddress | undefined,
  { anySize = false }: { readonly anySize?: boolean } = {},
) {
  const client = useToolstream();
  const { app, path, sha256, size, version } = address ?? NONE;
  return useQuery({
    queryKey: ['content', app, path, sha256],
    queryFn: ({ signal }) => client.file(app, path, { signal, ...(version === undefined ? {} : { version }) }),
    enabled: address !== undefined && (anySize || size <= AT_ONCE_BYTES),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

const NONE: ContentAddress = { app: '', path: '', sha256: '', size: 0 };
