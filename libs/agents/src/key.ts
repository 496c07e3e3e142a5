const READY = /^[\x21-\x7e]{1,200}$/;

/** An Idempotency-Key of what identifies something: readable where that is, else its hash. */
export async function keyOf(kind: string, identity: string): Promise<string> {
  return `${kind}/${READY.test(identity) ? identity : await sha256(identity)}`;
}

export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
