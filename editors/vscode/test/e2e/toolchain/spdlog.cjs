// Stands in for @vscode/spdlog, which has no prebuilt binary: writes VS Code's log and output channel files.
const fs = require('node:fs');
const path = require('node:path');

class Logger {
  #file;
  #raw = false;

  constructor(_type, _name, file) {
    this.#file = file;
    if (file) fs.mkdirSync(path.dirname(file), { recursive: true });
  }

  #write(level, message) {
    const time = new Date().toISOString().replace('T', ' ').slice(0, 23);
    try {
      fs.appendFileSync(this.#file, this.#raw ? message : `${time} [${level}] ${message}\n`);
    } catch {
      // The directory is being removed at the end of a test.
    }
  }

  trace = message => this.#write('trace', message);
  debug = message => this.#write('debug', message);
  info = message => this.#write('info', message);
  warn = message => this.#write('warning', message);
  error = message => this.#write('error', message);
  critical = message => this.#write('critical', message);

  clearFormatters() {
    this.#raw = true;
  }
  setPattern() {
    this.#raw = false;
  }
  getLevel() {
    return 0;
  }
  setLevel() {}
  flush() {}
  drop() {}
}

const create = async (name, file) => new Logger('rotating', name, file);

// VS Code imports these by name from an ES module, which finds them in this form only.
exports.version = 11400;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.shutdown = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
