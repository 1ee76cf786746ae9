// What happens with a port's URL. The editor's own functions are handed in, so that tests see which URL is opened.

/** What the editor can do with a URL; each resolves to whether it was done. */
export interface Desktop {
  openExternal(url: string): PromiseLike<boolean>;
  openPreview(url: string): PromiseLike<boolean>;
  copy(text: string): PromiseLike<void>;
  /** Opens a folder in a window of its own. */
  openFolder(uri: string): PromiseLike<unknown>;
  log(line: string): void;
}

export class Opener {
  readonly #desktop: Desktop;

  constructor(desktop: Desktop) {
    this.#desktop = desktop;
  }

  /** Opens a browser; false when there is none or the URL is not one of a web server. */
  async open(url: string): Promise<boolean> {
    if (!isWebURL(url)) return this.#refuse(url);
    this.#desktop.log(`opening ${url} in the browser`);
    return await this.#desktop.openExternal(url);
  }

  /** Shows the page inside the editor, else in a browser. */
  async preview(url: string): Promise<boolean> {
    if (!isWebURL(url)) return this.#refuse(url);
    this.#desktop.log(`previewing ${url}`);
    return (await this.#desktop.openPreview(url)) || (await this.open(url));
  }

  async copy(text: string): Promise<void> {
    await this.#desktop.copy(text);
  }

  /** Opens a folder inside a session in a window of its own. */
  async openFolder(uri: string): Promise<void> {
    if (!uri.startsWith('vscode-remote://ssh-remote+')) return void this.#refuse(uri);
    this.#desktop.log(`opening a window on ${uri}`);
    await this.#desktop.openFolder(uri);
  }

  #refuse(url: string): boolean {
    this.#desktop.log(`refused to open ${JSON.stringify(url.slice(0, 200))}: not what may be opened`);
    return false;
  }
}

/** Labels and protocols come from the repository's files: nothing but a web page is handed to the operating system. */
export function isWebURL(url: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}
