import { NotFoundError, ValidationError } from '../../base/errors.ts'
import { labelsOf, type Label as LabelShape } from '../../domain/nodes/labels.ts'
import { updateNodeNotes } from '../../domain/nodes/node-notes.ts'
import { nodeIdField } from '../changes/change-fields.ts'
import { mutation, type InputFields } from '../changes/mutation.ts'
import { descriptionField, forPeople, notesInput } from '../changes/notes.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { Node } from './nodes.ts'

// A list and not a JSON scalar: a page selects and sorts it, a literal can have the key `site/rack`, which is no name
// in GraphQL, and an error names the label that it is about.
export const Label = builder.objectRef<LabelShape>('Label').implement({
  description: 'A key and a value by which people and their tools find nodes. Firewall rules refer to groups only.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Unique among the labels of the node.' }),
    value: t.exposeString('value', { description: 'Any text of one line; it may be empty.' }),
  }),
})

export const LabelInput = builder.inputType('LabelInput', {
  description: 'One label of a node.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description:
        '1 to 63 characters: small letters, digits, and between them also `.`, `_`, `/` and `-`. Each key once.',
    }),
    value: t.string({ required: true, description: 'One line of at most 128 characters.' }),
  }),
})

builder.prismaObjectFields(Node, (t) => ({
  description: t.exposeString('description', {
    nullable: true,
    description: `What its admins noted about it; null when there is none. ${forPeople}`,
  }),
  labels: t.field({
    type: [Label],
    description: `Its labels, ordered by key. ${forPeople}`,
    select: { labels: true },
    resolve: (node) => labelsOf(node),
  }),
}))

/** The notes of a node in the input of a mutation. */
export const nodeNotesFields = (t: InputFields) => ({
  description: descriptionField(t),
  labels: t.field({ type: [LabelInput], description: 'All labels of the node: at most 32. Null for no labels.' }),
})

mutation('updateNode', {
  description: 'Changes the notes about a node. They are part of no configuration, so `configVersion` stays the same.',
  callers: 'nodeWriter',
  input: notesInput,
  fields: (t) => ({ nodeId: nodeIdField(t), ...nodeNotesFields(t) }),
  errors: [ValidationError, NotFoundError],
  resolve: (_input, context, { nodeId, ...notes }) => updateNodeNotes(scopeOf(context), nodeId, notes),
  done: 'The notes were changed.',
  payload: (t) => ({
    node: t.field({ type: Node, description: 'The node as it is now.', resolve: (node) => node }),
  }),
})
