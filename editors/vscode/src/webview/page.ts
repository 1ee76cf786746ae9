// What the parts of the page need of it.

import type { FromPage } from '../chat/exchange';

export interface Page {
  post(message: FromPage): void;
}
