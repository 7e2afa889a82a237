/** Programming languages and other formal texts by the endings of their files. */
const ENDINGS: Readonly<Record<string, string>> = {
  javascript: 'js mjs cjs jsx',
  typescript: 'ts mts cts tsx',
  python: 'py pyi',
  go: 'go',
  rust: 'rs',
  java: 'java',
  kotlin: 'kt kts',
  scala: 'scala',
  csharp: 'cs',
  swift: 'swift',
  php: 'php',
  dart: 'dart',
  c: 'c h',
  cpp: 'cpp cc cxx hpp hh',
  ruby: 'rb',
  lua: 'lua',
  shell: 'sh bash zsh',
  sql: 'sql',
  clojure: 'clj cljs',
  scheme: 'scm lisp el',
  elixir: 'ex exs',
  haskell: 'hs',
  perl: 'pl pm',
  r: 'r',
  julia: 'jl',
  zig: 'zig',
  css: 'css scss less',
  yaml: 'yaml yml',
  toml: 'toml',
  ini: 'ini cfg conf properties',
  xml: 'xml xsd svg',
  vue: 'vue svelte',
  proto: 'proto',
  graphql: 'graphql gql',
  terraform: 'tf',
  make: 'mk',
  wat: 'wat',
};

const BY_ENDING: ReadonlyMap<string, string> = new Map(
  Object.entries(ENDINGS).flatMap(([language, endings]) => endings.split(' ').map((ending) => [ending, language])),
);

/** The language of a file with this ending, without its dot; undefined when it is none that is known. */
export function languageOf(ending: string): string | undefined {
  return BY_ENDING.get(ending);
}
