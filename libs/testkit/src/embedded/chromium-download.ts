import { unpackFromApt } from './apt-package.ts';

/** A folder with a `chromium` that can be started, wherever the folder is moved to. */
export const chromiumFromApt = (scratch: string): Promise<string> =>
  unpackFromApt(scratch, { name: 'chromium', binary: 'usr/lib/chromium/chromium', notOnUbuntu: 'as a snap only' });
