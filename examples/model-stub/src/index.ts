export { PAGE, pageScript } from './sample.ts';
export type { Result, Script, Turn } from './script.ts';
export { type ModelStub, startModelStub } from './server.ts';
