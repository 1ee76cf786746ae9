// `vscode://sketch-ide.sketch-ide/…` links. Any web page can hold one, so a link shows things and prepares them; it never
// sends, starts or changes anything by itself.

export type Link =
  | { readonly kind: 'chat'; readonly text?: string }
  | { readonly kind: 'port'; readonly port: number }
  | { readonly kind: 'changes' }
  | { readonly kind: 'sessions' };

/** Longer texts come from no person. */
const maxText = 8192;

/** Reads the path and query of a link; undefined for one that means nothing. */
export function parseLink(path: string, query: string): Link | undefined {
  const [name = '', argument = ''] = path.split('/').filter(Boolean);
  const fields = new URLSearchParams(query);
  switch (name) {
    case 'chat': {
      const text = fields.get('text') ?? '';
      return { kind: 'chat', ...(text !== '' && { text: text.slice(0, maxText) }) };
    }
    case 'port': {
      const port = Number(argument || fields.get('number'));
      return Number.isInteger(port) && port > 0 && port < 65_536 ? { kind: 'port', port } : undefined;
    }
    case 'changes':
    case 'sessions':
      return { kind: name };
    default:
      return undefined;
  }
}
