// The app is one shell for all routes, rendered in the browser only: the server is a single binary without Node.
export const ssr = false;
export const prerender = false;
