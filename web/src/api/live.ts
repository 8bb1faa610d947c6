import { Store } from './store.ts'

/** Whether the page shows what is: live, catching up, or cut off. */
export type Live = 'live' | 'behind' | 'offline'

export const live = new Store<Live>('behind')
