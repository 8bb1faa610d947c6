import type { InputFields } from './mutation.ts'

/** The input for a description, of a new thing and of one that is there. */
export const descriptionField = (t: InputFields) =>
  t.string({ description: 'A note for people: one line of at most 500 characters. Null for no description.' })

/** The description of the input of a mutation that changes notes. */
export const notesInput = 'The notes to change. A field that is left out stays as it is; null clears it.'

/** The end of the description of a note: who sees it. */
export const forPeople = 'Readable by every caller who sees the object; part of no configuration.'
