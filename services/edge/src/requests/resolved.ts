import type { Json } from '@toolstream/proto-events';
import { type Artifacts, ContentTooLargeError } from '@toolstream/stores';

/** The value with everything put in that is stored as an artifact. What is too large for that stays a reference. */
export async function resolved(
  artifacts: Artifacts,
  value: Json,
  scope: { readonly tenant: string; readonly maxBytes?: number },
): Promise<Json> {
  try {
    return await artifacts.resolve(value, scope);
  } catch (error) {
    if (error instanceof ContentTooLargeError) return value;
    throw error;
  }
}
