import { RouterProvider } from '@tanstack/react-router';
import { router } from './router.ts';
import { type Session, SessionProvider } from './session/index.ts';
import { LiveRegion, Toasts } from './ui/index.ts';

export function App({ session }: { readonly session: Session }) {
  return (
    <>
      <SessionProvider session={session}>
        <RouterProvider router={router} />
      </SessionProvider>
      <Toasts />
      <LiveRegion />
    </>
  );
}
