// Which page is shown, by the address.

class Route {
  path = $state(location.pathname);
  query = $state(new URLSearchParams(location.search));

  constructor() {
    addEventListener("popstate", () => this.#read());
  }

  /** Goes to another address of the pages. */
  go(address: string): void {
    history.pushState(null, "", address);
    this.#read();
  }

  /** Changes one value of the query; nothing takes it away. */
  set(name: string, value: string | undefined): void {
    const query = new URLSearchParams(this.query);
    if (value === undefined || value === "") query.delete(name);
    else query.set(name, value);
    const text = query.toString();
    history.replaceState(null, "", text ? `?${text}` : location.pathname);
    this.#read();
  }

  #read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }
}

export const route = new Route();

/** A click on a link goes there without a new page. */
export function link(event: MouseEvent): void {
  const anchor = event.currentTarget as HTMLAnchorElement;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  route.go(anchor.href);
}
