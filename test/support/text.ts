import fc from 'fast-check';

/** Any character of Unicode, every other one of ASCII; the library's own unit `binary` takes two seconds to set up. */
export const anyCharacter = fc.oneof(fc.nat({ max: 0x7f }), fc.nat({ max: 0x10f7ff })).map((n) => String.fromCodePoint(n < 0xd800 ? n : n + 0x800));
