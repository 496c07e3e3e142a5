import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';
import { precompressed } from './precompressed.ts';

/** The workspace's packages are taken from their sources: nothing has to be built before. */
export default defineConfig({
  plugins: [react(), precompressed()],
  resolve: { conditions: ['toolstream', ...defaultClientConditions] },
  // The edge puts a new nonce here with every answer (services/edge/src/handlers/console.ts).
  html: { cspNonce: '__TOOLSTREAM_CSP_NONCE__' },
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // Inlined fonts and images would need an exception in the content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What the first page needs in any case, in a few files instead of one for each icon.
          groups: [
            { name: 'icons', test: /node_modules\/lucide-react\// },
            {
              name: 'shell',
              test: /console\/src\/((ui|format|session|shell|theme)\/|views\/[^/]+\/(search|route)\.ts$)/,
            },
          ],
        },
      },
    },
  },
  // `npm run dev -w @toolstream/console`, with the product running beside it.
  server: {
    proxy: {
      '/v1': 'http://127.0.0.1:4400',
      '/ws': { target: 'http://127.0.0.1:4400', ws: true },
    },
  },
});
