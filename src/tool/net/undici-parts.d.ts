// The files of undici that `undici.ts` loads by themselves.
declare module 'undici/lib/dispatcher/client-h1.js' {}
declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici';
}
declare module 'undici/lib/web/fetch/body.js' {}
declare module 'undici/lib/web/fetch/index.js' {
  export { fetch } from 'undici';
}
