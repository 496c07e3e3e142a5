import { createRouter } from '@tanstack/react-router';
import { routeTree } from './routes.tsx';

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  scrollRestoration: true,
  // Without the fragment: that may be a token, and these keys are kept.
  getScrollRestorationKey: ({ pathname, searchStr }) => pathname + searchStr,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
