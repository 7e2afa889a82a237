/** What a definition's first line looks like in a family of languages; every pattern takes linear time. */
const FAMILIES = {
  javascript:
    /^(?:export |default |declare |async |abstract )*(?:function\b|class\b|interface\b|enum\b|namespace\b|module\b|type \w|(?:const|let|var) \w+[^=]{0,80}= (?:async )?(?:function\b|class\b|\()|(?:describe|it|test)\()|^(?:(?:public|private|protected|static|readonly|override|async|get|set) )*[#\w$]+\([^;]*\{$/,
  python: /^(?:async )?def \w|^class \w/,
  go: /^(?:func|type|var|const)\b/,
  rust: /^(?:pub(?:\([^)]{0,40}\))? |unsafe |async |const |extern |default )*(?:fn|struct|enum|trait|impl|mod|union|type|macro_rules!)/,
  jvm: /^(?:(?:public|private|protected|internal|static|final|abstract|sealed|open|override|virtual|async|data|partial|suspend|inline|fileprivate|mutating|readonly|extern|unsafe|case|implicit|lazy) )*(?:class|interface|enum|record|struct|namespace|object|trait|protocol|extension|actor|fun|func|def|function|init|deinit|delegate|mixin)\b|^(?:(?:public|private|protected|internal|static|final|abstract|override|virtual|async|synchronized|native) )+[\w<>[\],.? ]{1,80}\(/,
  c: /^(?:(?:static|inline|extern|virtual|constexpr|explicit|template) ?)*(?:struct|class|enum|union|namespace|typedef|template)\b|^[A-Za-z_][\w:<>*&, ]{0,80}[ *&][\w:~]{1,60}\([^;]*$/,
  ruby: /^(?:def|class|module)\b/,
  lua: /^(?:local )?function\b|^[\w.:]{1,80} = function\b|^local \w+ = function\b/,
  shell: /^(?:function )?[\w-]{1,60} ?\(\) ?\{?|^function \w/,
  sql: /^(?:create|alter|drop|insert|select|update|delete|with|grant|begin)\b/i,
  lisp: /^\((?:def\w*|ns|module|provide)\b/,
  elixir: /^(?:defmodule|defp?|defmacrop?|defprotocol|defimpl)\b/,
} satisfies Record<string, RegExp>;

const LANGUAGES: Readonly<Record<string, keyof typeof FAMILIES>> = {
  javascript: 'javascript',
  typescript: 'javascript',
  python: 'python',
  go: 'go',
  rust: 'rust',
  java: 'jvm',
  kotlin: 'jvm',
  scala: 'jvm',
  csharp: 'jvm',
  swift: 'jvm',
  php: 'jvm',
  dart: 'jvm',
  c: 'c',
  cpp: 'c',
  ruby: 'ruby',
  lua: 'lua',
  shell: 'shell',
  sql: 'sql',
  clojure: 'lisp',
  scheme: 'lisp',
  elixir: 'elixir',
};

/** Comments and marks that belong to the definition below them. */
const LEADING = /^(?:\/\/|\/\*|\*|#(?!include|if|endif|else|define)|--|;|"""|@|\[\w|'''|<!--)/;

/** What the definitions of a language look like; without one, what the languages share. */
export function definitionsOf(language: string | undefined): RegExp[] {
  const family = language === undefined || !Object.hasOwn(LANGUAGES, language) ? undefined : LANGUAGES[language];
  return family ? [FAMILIES[family]] : [FAMILIES.javascript, FAMILIES.python, FAMILIES.go, FAMILIES.rust, FAMILIES.jvm, FAMILIES.ruby];
}

/** Whether a line is a comment, an annotation or a decorator. */
export function leads(line: string): boolean {
  return LEADING.test(line);
}
