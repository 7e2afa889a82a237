import { decodeText } from '../decode.ts';
import type { Reader } from './index.ts';

/** Text as it stands. */
export const readText: Reader = (bytes, { name, charset }) => ({ text: decodeText(bytes, name, charset) });
