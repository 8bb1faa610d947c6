/** The same object with some properties replaced, however its other properties are made. */
export const withOthers = <T extends object>(target: T, others: { readonly [Key in keyof T]?: unknown }): T =>
  new Proxy(target, {
    get: (_target, key): unknown => Reflect.get(Object.hasOwn(others, key) ? others : target, key),
  })
