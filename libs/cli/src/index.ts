export { main } from './main.ts';
export {
  type Exit,
  type ServiceSpec,
  type Stack,
  type StackEvents,
  type StackFacts,
  type StackOptions,
  StartAborted,
  startStack,
  toolstreamServices,
} from './supervisor/index.ts';
export { mintDevelopmentToken, mintToken, type TokenClaims } from './token.ts';
