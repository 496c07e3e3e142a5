/** The next token of this page, for this page's app alone. */
export async function fetchToken(path) {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()).token;
}
