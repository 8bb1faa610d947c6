import { Store } from './store.ts'

/** Whether the server has said that the session is over. */
export const sessionEnded = new Store(false)

export const sessionState = {
  end: () => sessionEnded.set(true),
  begin: () => sessionEnded.set(false),
}
