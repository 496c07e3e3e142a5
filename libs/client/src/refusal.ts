import { errorStatus, isErrorCode } from '@toolstream/proto-events';
import { ApiError } from './errors.ts';

/** What an error frame says: its code has the status that it has over HTTP. */
export const refusal = ({ code, message }: { readonly code: string; readonly message: string }): ApiError =>
  new ApiError(code, message, { status: isErrorCode(code) ? errorStatus[code] : 500 });
