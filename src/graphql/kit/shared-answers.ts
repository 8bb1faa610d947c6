import { Kind, type DocumentNode, type GraphQLSchema } from 'graphql'

const mark = 'orrery.sharesAnswers'

/** For a subscription field: its answer depends on the event alone, not on the subscriber. */
export const sharedAnswers = { [mark]: true }

/** Whether a document asks for such fields and for nothing else. */
export function sharesAnswers(schema: GraphQLSchema, { definitions }: DocumentNode): boolean {
  const [definition, ...others] = definitions
  if (others.length > 0 || definition?.kind !== Kind.OPERATION_DEFINITION) return false
  const fields = schema.getSubscriptionType()?.getFields()
  return definition.selectionSet.selections.every(
    (one) => one.kind === Kind.FIELD && fields?.[one.name.value]?.extensions[mark] === true,
  )
}
