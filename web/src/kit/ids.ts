/** Whether a part of the address can be an id at all; the server refuses to read another text as one. */
export const isId = (text: string): boolean => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)
