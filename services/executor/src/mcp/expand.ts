export type Env = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Puts variables in place of `${NAME}` and `${NAME:-default}`, in every string of a value, so that the file that names the
 * servers holds no secrets. `onMissing` hears of a variable that is not set and has no default.
 */
export function expand(value: unknown, env: Env, onMissing: (name: string) => void): unknown {
  if (typeof value === 'string') {
    return value.replace(REFERENCE, (_, name: string, fallback: string | undefined) => {
      const found = env[name] || fallback;
      if (found === undefined) onMissing(name);
      return found ?? '';
    });
  }
  if (Array.isArray(value)) return value.map((item) => expand(item, env, onMissing));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expand(item, env, onMissing)]));
}
