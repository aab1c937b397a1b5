export { address, api, hooks, type Options } from './client';
export { ApiError, asProblem, type FieldProblem } from './problem';
export type * from './types';
