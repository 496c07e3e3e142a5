import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

/** The workspace's packages are taken from their sources: nothing has to be built before. */
export default defineConfig({
  plugins: [react()],
  resolve: { conditions: ['toolstream', ...defaultClientConditions] },
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // Inlined fonts and images would need an exception in the content security policy.
    assetsInlineLimit: 0,
    sourcemap: false,
  },
  // `npm run dev` with the product running beside it.
  server: {
    proxy: {
      '/v1': 'http://127.0.0.1:4400',
      '/ws': { target: 'http://127.0.0.1:4400', ws: true },
    },
  },
});
