import { defineConfig } from 'drizzle-kit';

/** `npx drizzle-kit generate --name <what changes>` writes the next migration; the service applies it at its next start. */
export default defineConfig({ dialect: 'postgresql', schema: './src/schema.ts', out: './drizzle' });
