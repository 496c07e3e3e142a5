export { bundle } from './bundle.ts';
export { type PageOptions, page } from './page.ts';
export { SAMPLE } from './sample.ts';
export { type Example, type ExampleOptions, startExample } from './server.ts';
