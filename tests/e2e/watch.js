// Waiting for what a client will have seen: `changed` looks again, after each event.
export const patience = 30_000;

export class Watch {
  #checks = new Set();

  changed() {
    for (const check of [...this.#checks]) check();
  }

  // Resolves when `done` is true; rejects when that takes too long, with what `describe` says then.
  until(what, done, describe) {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!done()) return;
        clearTimeout(timer);
        this.#checks.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#checks.delete(check);
        reject(new Error(`no ${what} within ${patience} ms; ${describe()}`));
      }, patience);
      this.#checks.add(check);
      check();
    });
  }
}
