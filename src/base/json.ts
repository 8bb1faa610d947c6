import * as z from 'zod'

/** The value of a JSON text; undefined, which no JSON text stands for, when it is not JSON. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    return undefined
  }
}

/**
 * Reads JSON texts of a shape: `jsonOf(shape).parse(text)`. That a text is not JSON is one of zod's issues, like every
 * other difference from the shape. Limit the length of a stranger’s text first.
 */
export const jsonOf = <Shape extends z.ZodType>(shape: Shape) =>
  z
    .string()
    .transform((text, context): unknown => {
      const value = readJson(text)
      if (value !== undefined) return value
      context.addIssue({ code: 'custom', message: 'is not JSON' })
      return z.NEVER
    })
    .pipe(shape)
