/** Random and unique; also where `randomUUID` is missing, as on pages that were not loaded over HTTPS. */
export function uniqueId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
