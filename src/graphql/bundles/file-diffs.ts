import type { FileDiff as FileDiffShape } from '../../domain/bundles/read/file-diff.ts'
import { builder } from '../kit/builder.ts'

const FileChange = builder.enumType('FileChange', {
  description: 'What happened to a file between two states.',
  values: {
    ADDED: { value: 'added', description: 'The file is new.' },
    CHANGED: { value: 'changed', description: 'Its content differs.' },
    REMOVED: { value: 'removed', description: 'The file is gone.' },
  } as const,
})

export const FileDiff = builder.objectRef<FileDiffShape>('FileDiff').implement({
  description: 'A file of a bundle that differs between two states.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Its path in the bundle’s archive, such as `config.yml`.' }),
    change: t.expose('change', { type: FileChange, description: 'What happened to it.' }),
    diff: t.string({
      nullable: true,
      description:
        'The unified diff; null when the file is not text, is larger than 1 MiB, or differs in so many lines that a comparison would take too long.',
      resolve: ({ diff }) => diff(),
    }),
  }),
})
