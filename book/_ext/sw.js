// Keeps the book in the reader's browser. The build puts three constants before this text: VERSION, and what the
// site consists of: PAGES (path → sha256), all kept when this worker is installed, and RUNTIME, kept when fetched.
//
// A version is kept whole or not at all: a file whose hash is not the one named here, since a newer site is just being
// published, fails the installation, and the browser tries again at the next visit. Pages that are open stay with the
// version they began with: a new one waits until all of them are closed, and never reloads what somebody reads.

const scope = self.registration.scope;
const mine = `book ${scope} `; // other sites may live under the same origin, and keep things of their own
const pages = mine + VERSION;
const runtime = `${mine}runtime`;

self.addEventListener("install", (event) => event.waitUntil(keep()));

async function keep() {
  const cache = await caches.open(pages);
  try {
    await Promise.all(Object.entries(PAGES).map(async ([path, integrity]) => {
      const response = await fetch(scope + path, { integrity, cache: "no-cache", priority: "low" });
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      await cache.put(scope + path, plain(response));
    }));
  } catch (error) {
    await caches.delete(pages);
    throw error;
  }
}

/** A response as if it had come without a redirect, which is all that a browser accepts for a page. */
const plain = (response) => response.redirected ? new Response(response.body, response) : response;

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys())
    if (name.startsWith(mine) && name !== pages && name !== runtime) await caches.delete(name);
  const cache = await caches.open(runtime);
  const wanted = new Set(Object.keys(RUNTIME).map(key));
  for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope)) return;
  const path = decodeURI(request.url.slice(scope.length).replace(/[?#].*/s, "")).replace(/^$|\/$/, "$&index.html");
  if (Object.hasOwn(PAGES, path)) event.respondWith(kept(path).then((found) => found ?? fetch(request)));
  else if (Object.hasOwn(RUNTIME, path)) event.respondWith(fetched(event, path));
  else if (request.mode === "navigate") event.respondWith(fetch(request).catch(async (error) => (await kept("404.html")) ?? Promise.reject(error)));
});

async function kept(path) {
  try {
    return await (await caches.open(pages)).match(scope + path);
  } catch {
    return undefined; // the storage is denied: as if there were no worker
  }
}

/** A part of the runtime has its hash in its name, so a new version of the text finds it again. */
const key = (path) => `${scope}${path}?${encodeURIComponent(RUNTIME[path])}`;

async function fetched(event, path) {
  const cache = await caches.open(runtime).catch(() => undefined);
  const found = await cache?.match(key(path));
  if (found) return found;
  const response = await fetch(event.request);
  if (cache && response.status === 200) event.waitUntil(store(cache, path, response.clone()).catch(() => {})); // full: then not
  return response;
}

async function store(cache, path, response) {
  const hash = await crypto.subtle.digest("SHA-256", await response.clone().arrayBuffer());
  const integrity = `sha256-${btoa(String.fromCharCode(...new Uint8Array(hash)))}`;
  if (integrity === RUNTIME[path]) await cache.put(key(path), response);
}
