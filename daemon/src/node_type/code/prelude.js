// Runs before the code of a node. `write` appends to the node's log.
(function (write) {
  'use strict';
  const refuse = (what, why) => () => { throw new TypeError(`${what} is not available: ${why}`); };
  const same = 'the same inputs give the same outputs, so pass it as an input';
  const code = 'values never become code';

  // The clock and chance.
  const RealDate = Date;
  const noClock = refuse('the current time', same);
  RealDate.now = noClock;
  globalThis.Date = new Proxy(RealDate, {
    apply: noClock,
    construct: (target, given, wanted) =>
      given.length === 0 ? noClock() : Reflect.construct(target, given, wanted),
  });
  RealDate.prototype.constructor = Date;
  Math.random = refuse('Math.random', same);

  // Code that is made of text.
  globalThis.eval = refuse('eval', code);
  for (const one of [function () {}, async function () {}, function* () {}, async function* () {}]) {
    const prototype = Object.getPrototypeOf(one);
    const refused = function () { refuse('Function', code)(); };
    Object.defineProperty(refused, 'prototype', { value: prototype });
    Object.defineProperty(prototype, 'constructor', { value: refused });
    if (prototype === Function.prototype) globalThis.Function = refused;
  }

  const stringify = JSON.stringify;
  const text = (value) => {
    try {
      if (typeof value === 'string') return value;
      if (typeof value === 'bigint') return `${value}n`;
      if (typeof value !== 'object' || value === null || value instanceof Error) return String(value);
      return stringify(value, (_, it) => (typeof it === 'bigint' ? `${it}n` : it));
    } catch {
      return Object.prototype.toString.call(value);
    }
  };
  const line = (level) => (...values) => write(level, values.map(text).join(' ').toWellFormed());
  globalThis.console = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((level) => [level, line(level)]),
  );
  console.log = console.info;
  return text;
});
